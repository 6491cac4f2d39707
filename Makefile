# seeme_rbac: access control that the database itself enforces.
#
#   make, make install          build and install for the pg_config found first (PG_CONFIG=… for another)
#   make installcheck           pg_regress and the isolation specs against a running server
#   make check, make demo       do everything themselves, on a throwaway server
#   make format                 lays out src/ with pg_bsd_indent, as PostgreSQL's own source
#   make lint                   the rules of the house: SQL, lines, spelling, layout, rooms, C, shell
#   make help                   these lines

EXTENSION = seeme_rbac
# The version stands once, in the control file.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(EXTENSION).control)

MODULE_big = $(EXTENSION)
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
SRC_HEADERS = $(wildcard src/*.h src/*/*.h)

INSTALL_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql
# seeme_test.sql is a file for tests of an application to include (doc/testing.md).
DATA = $(INSTALL_SQL) $(filter-out $(INSTALL_SQL),$(wildcard sql/$(EXTENSION)--*--*.sql)) \
	sql/seeme_test.sql
EXTRA_CLEAN = $(INSTALL_SQL)

PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
	-Wno-missing-field-initializers
PG_CPPFLAGS = -I$(srcdir)/src -DSEEME_RBAC_VERSION='"$(EXTVERSION)"'
# libcjose verifies signed tokens (src/identity/jwt.c), libjansson reads their JSON.
SHLIB_LINK = -lcjose -ljansson

REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=pgtap --load-extension=$(EXTENSION)
# expected/*_1.out are the same on PostgreSQL 19, where some updates of concurrent transactions are
# called what they are: deletes.
ISOLATION = $(sort $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation --load-extension=$(EXTENSION)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)

# The two commands do all their set-up themselves, PGXS not yet installed included.
# (PGXS has a check target of its own, hence the either-or.)
ifneq ($(filter check demo bench format lint help,$(MAKECMDGOALS)),)
check demo bench format:
	scripts/$@
lint:
	scripts/lint --self-test && scripts/lint
	scripts/lint-sources --self-test && scripts/lint-sources
help:
	@sed -n 's/^#   \(make\)/  \1/p' Makefile
.PHONY: check demo bench format lint help
else

include $(PGXS)

# The install script is a file per topic, in the order of their numbers.
$(INSTALL_SQL): $(sort $(wildcard sql/install/*.sql)) $(EXTENSION).control
	cat $(sort $(wildcard sql/install/*.sql)) > $@

all: $(INSTALL_SQL)
$(OBJS): $(SRC_HEADERS) $(EXTENSION).control
endif
