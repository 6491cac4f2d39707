/*
 * permission_scan.h: a scan of a whole table that asks for each row whether it may be seen.
 */
#ifndef SEEME_PERMISSION_SCAN_H
#define SEEME_PERMISSION_SCAN_H

#include "postgres.h"

#pragma GCC visibility push(hidden)

extern void seeme_permission_scan_init(void);

#pragma GCC visibility pop

#endif							/* SEEME_PERMISSION_SCAN_H */
