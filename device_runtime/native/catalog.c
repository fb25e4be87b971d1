/* The whole job for plain favorites: from a list of ids to named results, several tastes included.
 *
 * What is not plain is answered by None, and by the same rules in Python: ids that are not known, weights, filters. */
#include "module.h"

#include <math.h>
#include <string.h>

#include "tastes.h"

enum {
    MOST_FAVORITES = 64, /* of a basket */
    MOST_QUESTIONS = 64, /* baskets are asked together up to so many, or to what the last of them adds */
    MOST_INTERLEAVED = 1024 /* results of several tastes */
};

/* The texts of all rows: a list, or lines that stay bytes. */
typedef struct {
    PyObject *list, *data, *ends;
    const char *bytes;
    const int64_t *at; /* where each line ends */
} Texts;

typedef struct {
    PyObject_HEAD
    PyObject *table, *row_of, *neighbor, *biases;
    allocfunc make;
    Texts ids, names;
    int32_t *slots; /* of a hash table of the rows by their ids, where these are lines */
    uint64_t mask;
    float scale;
    int dims, negative; /* columns that count for the likeness; those before the bias that count against */
    const int64_t *bias; /* the query's last entry by the number of favorites */
    int64_t bias_count; /* 0 in a model of attributes */
} Catalog;

typedef struct {
    int count, first_question, questions; /* favorites; questions are 0 where the basket is not plain */
} Basket;

/* Baskets that are asked together. */
typedef struct {
    mk_question questions[2 * MOST_QUESTIONS];
    double weights[2 * MOST_QUESTIONS];
    int64_t got[2 * MOST_QUESTIONS], banned[MOST_QUESTIONS][MOST_FAVORITES];
    Basket baskets[MOST_QUESTIONS];
    int baskets_count, count; /* of questions */
    int64_t *queries;
    double *sums;
    mk_found *found;
    const uint8_t *allowed;
} Batch;

/* ---------------------------------------------------------------------------------------------- texts */

static int open_texts(Texts *t, PyObject *source, int64_t rows) {
    Py_ssize_t size;
    int64_t count;
    if (PyList_Check(source) && PyList_Size(source) == rows) {
        Py_INCREF(source);
        t->list = source;
        return 0;
    }
    if (!PyTuple_Check(source) || PyTuple_Size(source) != 2) {
        PyErr_SetString(PyExc_TypeError, "a text of each row: a list, or bytes and where their lines end");
        return -1;
    }
    t->data = PyTuple_GetItem(source, 0);
    t->ends = PyTuple_GetItem(source, 1);
    Py_INCREF(t->data);
    Py_INCREF(t->ends);
    t->bytes = bytes_of(t->data, &size);
    t->at = integers_of(t->ends, &count);
    if (PyErr_Occurred()) return -1;
    int is_whole = count == rows && t->at[count - 1] < size;
    for (int64_t i = 0; is_whole && i < count; i++) is_whole = (i ? t->at[i - 1] : -1) < t->at[i];
    if (is_whole) return 0;
    PyErr_SetString(PyExc_ValueError, "lines that do not lie within the bytes");
    return -1;
}

static const char *line_of(const Texts *t, int64_t row, Py_ssize_t *length) {
    const int64_t start = row ? t->at[row - 1] + 1 : 0;
    *length = (Py_ssize_t)(t->at[row] - start);
    return t->bytes + start;
}

static PyObject *text_of(const Texts *t, int64_t row) {
    if (t->list) {
        PyObject *text = PyList_GetItem(t->list, (Py_ssize_t)row);
        Py_XINCREF(text);
        return text;
    }
    Py_ssize_t length;
    const char *line = line_of(t, row, &length);
    return PyUnicode_DecodeUTF8(line, length, NULL);
}

static uint64_t hash_of(const char *text, Py_ssize_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, and its high bits mixed into the low ones */
    for (Py_ssize_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static int fill_slots(Catalog *c, int64_t rows) {
    for (c->mask = 4; c->mask < 2 * (uint64_t)rows;) c->mask *= 2;
    c->slots = malloc(sizeof *c->slots * (size_t)c->mask);
    if (!c->slots) {
        PyErr_NoMemory();
        return -1;
    }
    memset(c->slots, -1, sizeof *c->slots * (size_t)c->mask--);
    for (int64_t row = 0; row < rows; row++) {
        Py_ssize_t length;
        const char *line = line_of(&c->ids, row, &length);
        uint64_t place = hash_of(line, length) & c->mask;
        while (c->slots[place] >= 0) place = (place + 1) & c->mask;
        c->slots[place] = (int32_t)row;
    }
    return 0;
}

/* The row of an id; -1 where there is none, without an error. */
static int64_t row_of(const Catalog *c, PyObject *item) {
    if (!PyUnicode_Check(item)) return -1;
    if (c->row_of) {
        PyObject *number = PyDict_GetItemWithError(c->row_of, item);
        const int64_t row = number ? PyLong_AsLongLong(number) : -1;
        if (PyErr_Occurred()) PyErr_Clear();
        return row < ((const Table *)c->table)->table.rows ? row : -1;
    }
    Py_ssize_t length, other;
    const char *text = PyUnicode_AsUTF8AndSize(item, &length);
    if (!text) {
        PyErr_Clear();
        return -1;
    }
    for (uint64_t place = hash_of(text, length) & c->mask; c->slots[place] >= 0; place = (place + 1) & c->mask) {
        const char *line = line_of(&c->ids, c->slots[place], &other);
        if (other == length && !memcmp(line, text, (size_t)length)) return c->slots[place];
    }
    return -1;
}

/* ---------------------------------------------------------------------------------------------- questions */

static int open_batch(Batch *batch, const Catalog *c, int questions, int64_t k) {
    const size_t columns = (size_t)((const Table *)c->table)->table.columns, some = (size_t)questions;
    batch->baskets_count = batch->count = 0;
    batch->queries = malloc(sizeof *batch->queries * some * columns);
    batch->sums = malloc(sizeof *batch->sums * MOST_FAVORITES * columns);
    batch->found = (uint64_t)k < SIZE_MAX / sizeof *batch->found / some ? malloc(sizeof *batch->found * some * (size_t)k) : NULL;
    if (batch->queries && batch->sums && batch->found) return 0;
    PyErr_NoMemory();
    return -1;
}

static void close_batch(Batch *batch) {
    free(batch->queries);
    free(batch->sums);
    free(batch->found);
}

/* The rows of some ids, each once, in order; 0 where they are not plain. */
static int read_rows(const Catalog *c, PyObject *items, int64_t *rows) {
    const Py_ssize_t given = PyList_Check(items) ? PyList_Size(items) : 0;
    int count = 0;
    if (given > MOST_FAVORITES) return 0;
    for (Py_ssize_t i = 0; i < given; i++) {
        const int64_t row = row_of(c, PyList_GetItem(items, i));
        int is_new = 1;
        if (row < 0) return 0;
        for (int j = 0; j < count; j++) is_new &= rows[j] != row;
        if (is_new) rows[count++] = row;
    }
    return count;
}

static void sort_rows(int64_t *rows, int count) {
    for (int i = 1; i < count; i++) {
        const int64_t row = rows[i];
        int at = i;
        for (; at > 0 && rows[at - 1] > row; at--) rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

static int group_rows(const Catalog *c, const int64_t *rows, int count, double alike, double *sums, int *group) {
    const mk_table *table = &((const Table *)c->table)->table;
    double cosines[MOST_FAVORITES * MOST_FAVORITES], squares[MOST_FAVORITES];
    memset(group, 0, sizeof *group * (size_t)count);
    if (count == 1 || alike > 1) return 1;
    for (int i = 0; i < count; i++) mk_widen(table, rows[i], c->dims, sums + (int64_t)i * c->dims);
    return mk_group(sums, count, c->dims, alike, cosines, squares, group);
}

/* Turns the sum of some rows into a query; whether it is none, or they are more than is known of. */
static int complete_query(const Catalog *c, int64_t *query, int count) {
    const int columns = ((const Table *)c->table)->table.columns;
    if (c->bias_count) {
        if (count >= c->bias_count) return 0;
        for (int i = columns - 1 - c->negative; i < columns - 1; i++) query[i] = -query[i];
        query[columns - 1] = c->bias[count];
    }
    for (int i = 0; i < columns; i++)
        if (query[i]) return 1;
    return 0;
}

/* Adds the questions of a basket, or none where it is not plain. */
static void add_basket(const Catalog *c, PyObject *items, double alike, int64_t k, Batch *batch) {
    const mk_table *table = &((const Table *)c->table)->table;
    const size_t columns = (size_t)table->columns;
    int64_t rows[MOST_FAVORITES], *banned = batch->banned[batch->baskets_count];
    int group[MOST_FAVORITES], sizes[MOST_FAVORITES] = {0};
    Basket *basket = &batch->baskets[batch->baskets_count++];
    basket->first_question = batch->count;
    basket->questions = 0;
    basket->count = read_rows(c, items, rows);
    if (!basket->count) return;
    const int groups = group_rows(c, rows, basket->count, alike, batch->sums, group);
    if (groups > 1 && k > MOST_INTERLEAVED) return;
    int64_t *queries = batch->queries + (size_t)batch->count * columns;
    memset(queries, 0, sizeof *queries * columns * (size_t)groups);
    for (int i = 0; i < basket->count; i++) {
        mk_add(table, rows[i], queries + (size_t)group[i] * columns);
        sizes[group[i]]++;
    }
    memcpy(banned, rows, sizeof *rows * (size_t)basket->count);
    sort_rows(banned, basket->count);
    for (int g = 0; g < groups; g++) {
        if (!complete_query(c, queries + (size_t)g * columns, sizes[g])) return;
        batch->questions[batch->count + g] = (mk_question){queries + (size_t)g * columns, banned, basket->count};
        batch->weights[batch->count + g] = sizes[g];
    }
    batch->count += groups;
    basket->questions = groups;
}

/* ---------------------------------------------------------------------------------------------- answers */

/* What a score of a query is worth as a cosine; the steps are those of docs/format.md, each rounded to float32. */
static float factor_of(const Catalog *c, const int64_t *query) {
    double square = 0;
    for (int i = 0; i < ((const Table *)c->table)->table.columns - (c->bias_count > 0); i++)
        square += (double)query[i] * (double)query[i];
    const float rounded = (float)(square > 1.0 ? square : 1.0), norm = (float)sqrt((double)rounded);
    return c->scale / norm;
}

static PyObject *neighbor_of(const Catalog *c, int64_t row, float score) {
    PyObject *id = text_of(&c->ids, row), *name = text_of(&c->names, row), *number = PyFloat_FromDouble((double)score);
    PyObject *one = id && name && number ? c->make((PyTypeObject *)c->neighbor, 3) : NULL;
    if (!one) {
        Py_XDECREF(id);
        Py_XDECREF(name);
        Py_XDECREF(number);
        return NULL;
    }
    PyTuple_SetItem(one, 0, id);
    PyTuple_SetItem(one, 1, name);
    PyTuple_SetItem(one, 2, number);
    return one;
}

static PyObject *answer_of(const Catalog *c, const Batch *batch, const Basket *basket, int64_t k) {
    const mk_table *table = &((const Table *)c->table)->table;
    const mk_question *questions = batch->questions + basket->first_question;
    const mk_found *found = batch->found + basket->first_question * k;
    const int64_t *got = batch->got + basket->first_question;
    int64_t rows[MOST_INTERLEAVED], turns[2 * MOST_FAVORITES], count = got[0];
    float factors[MOST_FAVORITES];
    for (int g = 0; g < basket->questions; g++) factors[g] = factor_of(c, questions[g].query);
    if (basket->questions > 1)
        count = mk_interleave(found, got, batch->weights + basket->first_question, basket->questions, k, turns, rows);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (int64_t i = 0; list && i < count; i++) {
        const int64_t row = basket->questions > 1 ? rows[i] : found[i].row;
        float score = basket->questions > 1 ? -INFINITY : (float)found[i].score * factors[0];
        for (int g = 0; basket->questions > 1 && g < basket->questions; g++) {
            const float by_this = (float)mk_score(table, row, questions[g].query) * factors[g];
            score = by_this > score ? by_this : score;
        }
        PyObject *one = neighbor_of(c, row, score);
        if (!one || PyList_SetItem(list, (Py_ssize_t)i, one)) Py_CLEAR(list);
    }
    return list;
}

/* Answers all baskets of a batch; NULL with an error set. */
static int answer_batch(const Catalog *c, Batch *batch, int64_t k, PyObject *answers) {
    if (batch->count &&
        ask(&((const Table *)c->table)->table, batch->allowed, batch->questions, batch->count, k, batch->found, batch->got))
        return -1;
    for (int n = 0; n < batch->baskets_count; n++) {
        PyObject *answer = Py_None;
        if (batch->baskets[n].questions) answer = answer_of(c, batch, &batch->baskets[n], k);
        else Py_INCREF(answer);
        const int failed = !answer || PyList_Append(answers, answer);
        Py_XDECREF(answer);
        if (failed) return -1;
    }
    batch->baskets_count = batch->count = 0;
    return 0;
}

static int read_arguments(const Catalog *c, PyObject *const *args, Py_ssize_t nargs, int64_t *k, double *alike,
                          const uint8_t **allowed) {
    Py_ssize_t size;
    if (nargs != 4) {
        PyErr_SetString(PyExc_TypeError, "favorites, k, the least cosine of what is alike, and the bits of allowed rows or None");
        return -1;
    }
    *k = PyLong_AsLongLong(args[1]);
    *alike = PyFloat_AsDouble(args[2]);
    if (PyErr_Occurred()) return -1;
    if (!c->table || *k < 1) {
        PyErr_SetString(PyExc_ValueError, "k is from 1");
        return -1;
    }
    const int64_t rows = ((const Table *)c->table)->table.rows;
    *k = *k < rows ? *k : rows;
    *allowed = args[3] == Py_None ? NULL : bytes_of(args[3], &size);
    if (PyErr_Occurred()) return -1;
    if (args[3] != Py_None && (!*allowed || size < (Py_ssize_t)((rows + 7) / 8))) {
        PyErr_SetString(PyExc_ValueError, "fewer bits than rows");
        return -1;
    }
    return 0;
}

static PyObject *recommend(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    const Catalog *c = (const Catalog *)self;
    Batch batch;
    const uint8_t *allowed;
    int64_t k;
    double alike;
    PyObject *answer = NULL;
    if (read_arguments(c, args, nargs, &k, &alike, &allowed)) return NULL;
    batch.allowed = allowed;
    if (!open_batch(&batch, c, alike > 1 ? 1 : MOST_FAVORITES, k)) {
        add_basket(c, args[0], alike, k, &batch);
        if (!batch.count) {
            answer = Py_None;
            Py_INCREF(answer);
        } else if (!ask(&((const Table *)c->table)->table, allowed, batch.questions, batch.count, k, batch.found, batch.got)) {
            answer = answer_of(c, &batch, batch.baskets, k);
        }
    }
    close_batch(&batch);
    return answer;
}

static PyObject *recommend_many(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    const Catalog *c = (const Catalog *)self;
    Batch batch;
    const uint8_t *allowed;
    int64_t k;
    double alike;
    if (read_arguments(c, args, nargs, &k, &alike, &allowed)) return NULL;
    if (!PyList_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "a list of baskets");
        return NULL;
    }
    batch.allowed = allowed;
    PyObject *answers = PyList_New(0);
    int failed = !answers || open_batch(&batch, c, 2 * MOST_QUESTIONS, k);
    for (Py_ssize_t i = 0; !failed && i < PyList_Size(args[0]); i++) {
        add_basket(c, PyList_GetItem(args[0], i), alike, k, &batch);
        if (batch.count >= MOST_QUESTIONS || batch.baskets_count == MOST_QUESTIONS)
            failed = answer_batch(c, &batch, k, answers);
    }
    if (!failed) failed = answer_batch(c, &batch, k, answers);
    if (answers) close_batch(&batch);
    if (failed) Py_CLEAR(answers);
    return answers;
}

/* ---------------------------------------------------------------------------------------------- the type */

static void clear_texts(Texts *t) {
    Py_CLEAR(t->list);
    Py_CLEAR(t->data);
    Py_CLEAR(t->ends);
}

static void free_catalog(PyObject *self) {
    Catalog *c = (Catalog *)self;
    PyTypeObject *type = Py_TYPE(self);
    clear_texts(&c->ids);
    clear_texts(&c->names);
    Py_CLEAR(c->table);
    Py_CLEAR(c->row_of);
    Py_CLEAR(c->neighbor);
    Py_CLEAR(c->biases);
    free(c->slots);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* The limited API has no way from a type to its module that it all shares, so a table is told by its deallocation. */
static int is_table(PyObject *object) {
    return PyType_GetFlags(Py_TYPE(object)) & Py_TPFLAGS_HEAPTYPE &&
           PyType_GetSlot(Py_TYPE(object), Py_tp_dealloc) == (void *)free_table && ((Table *)object)->source;
}

static int init_catalog(PyObject *self, PyObject *args, PyObject *kwargs) {
    Catalog *c = (Catalog *)self;
    PyObject *table, *rows_of, *ids, *names, *neighbor, *biases;
    double scale;
    if (c->table || (kwargs && PyDict_Size(kwargs))) {
        PyErr_SetString(PyExc_TypeError, "a catalog is made once, without keyword arguments");
        return -1;
    }
    if (!PyArg_ParseTuple(args, "OOOOOdiiO:Catalog", &table, &rows_of, &ids, &names, &neighbor, &scale, &c->dims,
                          &c->negative, &biases))
        return -1;
    if (!is_table(table) || !PyType_Check(neighbor)) {
        PyErr_SetString(PyExc_TypeError, "a Table, and a type of named tuples of three");
        return -1;
    }
    const mk_table *of = &((Table *)table)->table;
    if (c->dims < 1 || c->dims > of->columns || c->negative < 0 || c->negative >= of->columns) {
        PyErr_SetString(PyExc_ValueError, "columns that the table has not");
        return -1;
    }
    if (biases != Py_None && !(c->bias = integers_of(biases, &c->bias_count))) return -1;
    clear_texts(&c->ids);
    clear_texts(&c->names);
    if (open_texts(&c->ids, ids, of->rows) || open_texts(&c->names, names, of->rows)) return -1;
    if (rows_of == Py_None ? !c->ids.data || fill_slots(c, of->rows) : !PyDict_Check(rows_of)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "the row of each id, as a dict, or ids as lines");
        return -1;
    }
    c->scale = (float)scale;
    c->make = (allocfunc)PyType_GetSlot((PyTypeObject *)neighbor, Py_tp_alloc);
    Py_INCREF(neighbor);
    Py_INCREF(biases);
    Py_INCREF(table);
    c->neighbor = neighbor;
    c->biases = biases;
    c->table = table;
    if (rows_of != Py_None) {
        Py_INCREF(rows_of);
        c->row_of = rows_of;
    }
    return 0;
}

static PyMethodDef catalog_methods[] = {
    {"recommend", (PyCFunction)(void (*)(void))recommend, METH_FASTCALL,
     "recommend(ids, k, alike, allowed)\n--\n\n"
     "The k others nearest to a list of ids, as neighbors; None where these are not plain. Favorites whose sums have a\n"
     "cosine of `alike` or more are one taste; all are one where it exceeds 1. `allowed`: None, or a bit for each row."},
    {"recommend_many", (PyCFunction)(void (*)(void))recommend_many, METH_FASTCALL,
     "recommend_many(baskets, k, alike, allowed)\n--\n\nWhat `recommend` gives for each of a list of lists of ids."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot catalog_slots[] = {
    {Py_tp_doc, "Catalog(table, row_of, ids, names, neighbor, scale, dims, negative, biases)\n--\n\n"
                "A table with its texts: lists, or the bytes of lines and where each ends; then `row_of` is None."},
    {Py_tp_init, init_catalog}, {Py_tp_dealloc, free_catalog}, {Py_tp_methods, catalog_methods}, {0, NULL}};

PyType_Spec catalog_spec = {"mignon_native.Catalog", sizeof(Catalog), 0, Py_TPFLAGS_DEFAULT, catalog_slots};
