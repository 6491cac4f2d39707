/*
 * custom_scan.h: the permission scan, which reads a whole table and decides its rows in blocks.
 */
#ifndef SEEME_PLANNER_CUSTOM_SCAN_H
#define SEEME_PLANNER_CUSTOM_SCAN_H

#include "postgres.h"

#include "nodes/extensible.h"

#pragma GCC visibility push(hidden)

/* As EXPLAIN shows it. */
#define SEEME_PERMISSION_SCAN "Permission Scan"

extern const CustomScanMethods seeme_permission_scan_methods;

extern void seeme_permission_scan_init(void);
extern void seeme_begin_run(void);

#pragma GCC visibility pop

#endif							/* SEEME_PLANNER_CUSTOM_SCAN_H */
