/* What the parts of the extension share. By the limited API: one file for CPython 3.10 and later. */
#ifndef MIGNON_MODULE_H
#define MIGNON_MODULE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030A0000
#include <Python.h>

#include "kernel.h"

typedef struct {
    PyObject_HEAD
    PyObject *source; /* keeps the bytes of the table */
    mk_table table;
} Table;

/* The bytes of an object for as long as that lives; NULL with an error set, or where there are none. */
const void *bytes_of(PyObject *source, Py_ssize_t *size);

/* An array of int64; NULL with an error set. */
const int64_t *integers_of(PyObject *source, int64_t *count);

/* Asks the kernel, other threads running meanwhile where that pays; -1 with an error set. */
int ask(const mk_table *table, const uint8_t *allowed, const mk_question *questions, int64_t count, int64_t k,
        mk_found *found, int64_t *got);

void free_table(PyObject *table);

extern PyType_Spec catalog_spec;

#endif
