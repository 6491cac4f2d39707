/* one.c: two files that call each other, with other.c. */
extern int	seeme_other(void);

int
seeme_one(void)
{
	return seeme_other();
}
