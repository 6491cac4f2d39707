-- Last of all: what the extension is made of is remembered, for the security report. Every upgrade script ends so, too.
SELECT seeme.remember_guards();
