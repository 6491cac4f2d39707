-- Last of all: what guards the extension's own tables is remembered, for the security report. Every upgrade script ends so, too.
SELECT seeme.remember_guards();
