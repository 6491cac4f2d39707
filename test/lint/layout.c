/*
 * good.c: nothing to find.
 */
#include "postgres.h"

int			seeme_good(int n);

int
seeme_good(int n)
{
  return n + 1;
}
