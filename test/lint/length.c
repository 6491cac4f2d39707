/* This line is longer than 100 columns, which no rule of layout mends: it is a comment at the margin. */
#include "postgres.h"

int			seeme_good(int n);

int
seeme_good(int n)
{
	return n + 1;
}
