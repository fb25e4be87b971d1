/* The kernel for Python. */
#include "module.h"

#if defined(__arm__) && defined(__linux__)
#include <sys/auxv.h>
#endif

enum { GIL_KEPT_BELOW = 1 << 18 }; /* bytes of table: a shorter scan is over before another thread would notice */
enum { INTERFACE = 2 }; /* what mignon asks for: it changes with the names, arguments and answers of what is below */
enum { MOST_AT_ONCE = 1 << 12 }; /* questions */

/* The limited API has Py_buffer from 3.11 on; before, this gives the bytes of an object for as long as that lives. It stays
 * in the stable ABI for good, while the headers of 3.13 and later say no more of it. */
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif
PyAPI_FUNC(int) PyObject_AsReadBuffer(PyObject *, const void **, Py_ssize_t *);

const void *bytes_of(PyObject *source, Py_ssize_t *size) {
    const void *bytes = NULL;
    return PyObject_AsReadBuffer(source, &bytes, size) ? NULL : bytes;
}

const int64_t *integers_of(PyObject *source, int64_t *count) {
    static const int64_t none[1];
    Py_ssize_t size;
    const void *bytes = bytes_of(source, &size);
    if (!bytes && PyErr_Occurred()) return NULL;
    if (size % (Py_ssize_t)sizeof(int64_t)) {
        PyErr_SetString(PyExc_ValueError, "not an array of int64");
        return NULL;
    }
    *count = size / (Py_ssize_t)sizeof(int64_t);
    return *count ? bytes : none;
}

static int table_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    Table *t = (Table *)self;
    PyObject *source;
    long long rows;
    int columns, bits;
    Py_ssize_t size;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "Table takes no keyword arguments");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "OLii:Table", &source, &rows, &columns, &bits)) return -1;
    const void *entries = bytes_of(source, &size);
    if (!entries && PyErr_Occurred()) return -1;
    if (rows < 1 || rows > MK_MOST_ROWS || columns < 1 || columns > MK_MOST_COLUMNS || (bits != 8 && bits != 4) ||
        columns * bits % 8 || size != rows * columns * bits / 8) {
        PyErr_Format(PyExc_ValueError, "no table of %lld rows and %d columns of %d bits fits %zd bytes", rows, columns, bits,
                     size);
        return -1;
    }
    Py_INCREF(source);
    Py_XDECREF(t->source);
    t->source = source;
    t->table = (mk_table){entries, rows, columns, bits};
    return 0;
}

void free_table(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((Table *)self)->source);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

int ask(const mk_table *table, const uint8_t *allowed, const mk_question *questions, int64_t count, int64_t k,
               mk_found *found, int64_t *got) {
    int status;
    if (table->rows * table->columns * table->bits / 8 * count < GIL_KEPT_BELOW) {
        status = mk_best(table, 0, table->rows, allowed, questions, count, k, found, got);
    } else {
        Py_BEGIN_ALLOW_THREADS
        status = mk_best(table, 0, table->rows, allowed, questions, count, k, found, got);
        Py_END_ALLOW_THREADS
    }
    if (status == MK_NO_MEMORY) PyErr_NoMemory();
    if (status == MK_BAD_ARGUMENT) PyErr_SetString(PyExc_ValueError, "a query whose scores could leave 62 bits");
    return status == MK_DONE ? 0 : -1;
}

/* Fills `questions` from queries, int64 [count, columns], and a list of arrays of banned rows; -1 with an error set. */
static int read_questions(const Table *t, PyObject *queries, PyObject *banned, mk_question *questions, int64_t count) {
    int64_t entries;
    const int64_t *query = integers_of(queries, &entries);
    if (!query) return -1;
    if (entries != count * t->table.columns) {
        PyErr_Format(PyExc_ValueError, "%lld entries are not %lld queries of %d columns", (long long)entries,
                     (long long)count, t->table.columns);
        return -1;
    }
    for (int64_t n = 0; n < count; n++) {
        questions[n].query = query + n * t->table.columns;
        questions[n].banned = integers_of(PyList_GetItem(banned, (Py_ssize_t)n), &questions[n].banned_count);
        if (!questions[n].banned) return -1;
    }
    return 0;
}

static PyObject *as_list(const mk_found *found, const int64_t *got, int64_t count, int64_t k) {
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (int64_t n = 0; list && n < count; n++) {
        PyObject *pairs =
            PyBytes_FromStringAndSize((const char *)(found + n * k), (Py_ssize_t)(got[n] * (int64_t)sizeof *found));
        if (!pairs || PyList_SetItem(list, (Py_ssize_t)n, pairs)) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

static PyObject *table_best(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    Table *t = (Table *)self;
    const uint8_t *allowed = NULL;
    if (nargs != 4 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "best(queries, list of banned rows, k, allowed or None)");
        return NULL;
    }
    const int64_t count = PyList_Size(args[1]);
    int64_t k = PyLong_AsLongLong(args[2]);
    if (k == -1 && PyErr_Occurred()) return NULL;
    if (k < 1 || count > MOST_AT_ONCE) {
        PyErr_Format(PyExc_ValueError, "k is from 1, and %d questions are the most at once", MOST_AT_ONCE);
        return NULL;
    }
    if (args[3] != Py_None) {
        Py_ssize_t size;
        allowed = bytes_of(args[3], &size);
        if (!allowed && PyErr_Occurred()) return NULL;
        if (size < (t->table.rows + 7) / 8) {
            PyErr_SetString(PyExc_ValueError, "fewer bits than rows");
            return NULL;
        }
    }
    if (k > t->table.rows) k = t->table.rows;
    const size_t some = (size_t)(count ? count : 1);
    mk_question *questions = PyMem_Malloc(some * sizeof *questions);
    int64_t *got = PyMem_Malloc(some * sizeof *got);
    mk_found *found = (size_t)k <= PY_SSIZE_T_MAX / sizeof *found / some ? PyMem_Malloc(some * (size_t)k * sizeof *found) : NULL;
    PyObject *answer = NULL;
    if (!questions || !got || !found) PyErr_NoMemory();
    else if (!read_questions(t, args[0], args[1], questions, count) &&
             !ask(&t->table, allowed, questions, count, k, found, got))
        answer = as_list(found, got, count, k);
    PyMem_Free(questions);
    PyMem_Free(got);
    PyMem_Free(found);
    return answer;
}

static PyObject *choose(PyObject *module, PyObject *name) {
    (void)module;
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
    if (!text) return NULL;
    const char *chosen = mk_choose(text);
    if (!chosen) return PyErr_Format(PyExc_ValueError, "this processor has no path %R", name);
    return PyUnicode_FromString(chosen);
}

static PyObject *paths(PyObject *module, PyObject *nothing) {
    (void)module;
    (void)nothing;
    PyObject *list = PyList_New(0);
    for (int number = 0; list && mk_path(number); number++) {
        PyObject *name = PyUnicode_FromString(mk_path(number));
        if (!name || PyList_Append(list, name)) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static PyMethodDef table_methods[] = {
    {"best", (PyCFunction)(void (*)(void))table_best, METH_FASTCALL,
     "best(queries, banned, k, allowed)\n--\n\n"
     "For each query the k rows with the greatest scores, best first, ties by the lower row: a list of the bytes of\n"
     "int64 [n, 2], row and score. `queries` are int64 [n, columns], `banned` is a list of an ascending int64 array of\n"
     "rows for each, and `allowed` is None or a bit for each row, the lowest of a byte first."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot table_slots[] = {
    {Py_tp_doc, "Table(entries, rows, columns, bits)\n--\n\nRows of 8 or 4 bits an entry, read where they lie."},
    {Py_tp_init, table_init}, {Py_tp_dealloc, free_table}, {Py_tp_methods, table_methods}, {0, NULL}};

static PyType_Spec table_spec = {"mignon_native.Table", sizeof(Table), 0, Py_TPFLAGS_DEFAULT, table_slots};

static PyMethodDef functions[] = {
    {"choose", choose, METH_O, "choose(name)\n--\n\nTakes a path of `paths()` from now on, in all threads."},
    {"paths", paths, METH_NOARGS, "paths()\n--\n\nThe paths of this processor, the fastest first."},
    {NULL, NULL, 0, NULL}};

static int add_type(PyObject *module, const char *name, PyType_Spec *spec) {
    PyObject *type = PyType_FromSpec(spec);
    const int failed = !type || PyModule_AddObjectRef(module, name, type);
    Py_XDECREF(type);
    return failed;
}

/* A file for 32-bit ARM may hold instructions that processors of its kind can lack; better no engine than a crash. */
static int lacks_neon(void) {
#if defined(__arm__) && defined(__ARM_NEON) && defined(__linux__)
    return !(getauxval(AT_HWCAP) >> 12 & 1); /* HWCAP_NEON */
#else
    return 0;
#endif
}

/* A name in MIGNON_KERNEL that is no path is told here, where the kernel itself would pass over it. */
static int fill_module(PyObject *module) {
    const char *wanted = getenv("MIGNON_KERNEL");
    if (lacks_neon()) {
        PyErr_SetString(PyExc_ImportError, "it was compiled for NEON, which this processor lacks");
        return -1;
    }
    if (wanted && *wanted && !mk_choose(wanted)) {
        PyErr_Format(PyExc_ImportError, "MIGNON_KERNEL is '%s', and this processor has no such path", wanted);
        return -1;
    }
    if (PyModule_AddIntConstant(module, "INTERFACE", INTERFACE)) return -1;
    return add_type(module, "Table", &table_spec) || add_type(module, "Catalog", &catalog_spec) ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "mignon_native", "Exact top-k over tables of small integers.", 0, functions, module_slots, NULL,
    NULL, NULL};

PyMODINIT_FUNC PyInit_mignon_native(void) { return PyModuleDef_Init(&definition); }
