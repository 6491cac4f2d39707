/*
 * new_row.h: a policy's check of a new row.
 */
#ifndef SEEME_NEW_ROW_H
#define SEEME_NEW_ROW_H

#pragma GCC visibility push(hidden)

extern void seeme_new_row_init(void);

#pragma GCC visibility pop

#endif							/* SEEME_NEW_ROW_H */
