/* up.c: a file of the lowest room that calls one of the highest. */
extern int	seeme_above(void);

int
seeme_up(void)
{
	return seeme_above();
}
