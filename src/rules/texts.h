/*
 * texts.h: text that people type.
 */
#ifndef SEEME_RULES_TEXTS_H
#define SEEME_RULES_TEXTS_H

#include "postgres.h"

#pragma GCC visibility push(hidden)

extern char *seeme_checked_text(char *value, const char *column, int max_length);
extern char *seeme_checked_name(char *name, const char *kind);

#pragma GCC visibility pop

#endif							/* SEEME_RULES_TEXTS_H */
