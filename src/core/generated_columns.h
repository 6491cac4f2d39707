#ifndef SEEME_GENERATED_COLUMNS_H
#define SEEME_GENERATED_COLUMNS_H

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "nodes/primnodes.h"
#include "utils/rel.h"

typedef struct SeemeGeneratedColumns SeemeGeneratedColumns;

extern SeemeGeneratedColumns *seeme_generated_columns(Relation relation, Expr *condition);
extern Bitmapset *seeme_base_columns(Relation relation, AttrNumber column);
extern TupleTableSlot *seeme_compute_generated(SeemeGeneratedColumns *columns,
											   TupleTableSlot *row);

#endif
