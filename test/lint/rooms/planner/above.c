/* above.c: a file of the highest room. It may call a file of the lowest one. */
extern int	seeme_one(void);

int
seeme_above(void)
{
	return seeme_one();
}
