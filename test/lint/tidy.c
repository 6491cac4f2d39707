/*
 * good.c: nothing to find.
 */
#include "postgres.h"

int			seeme_good(int n);

int
seeme_good(int n)
{
	return strcmp("a", "b") == 2 || n == n;
}
