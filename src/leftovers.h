/*
 * leftovers.h: what a session keeps of the people it speaks for.
 */
#ifndef SEEME_LEFTOVERS_H
#define SEEME_LEFTOVERS_H

#include "postgres.h"

#include "utils/uuid.h"

extern void seeme_leftovers_init(void);
extern void seeme_note_speaker(const pg_uuid_t *person);
extern void seeme_session_logged_in(const pg_uuid_t *person);
extern void seeme_refuse_leftovers(const pg_uuid_t *person);

#endif							/* SEEME_LEFTOVERS_H */
