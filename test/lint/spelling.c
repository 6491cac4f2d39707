/* The adress of a funtion */
#include "postgres.h"

int			seeme_good(int n);

int
seeme_good(int n)
{
	return n + 1;
}
