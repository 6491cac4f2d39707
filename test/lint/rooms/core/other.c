/* other.c: two files that call each other, with one.c. */
extern int	seeme_one(void);

int
seeme_other(void)
{
	return seeme_one();
}
