/* Answers from a .tflite file made by mignon: similar items and recommendations. C99 and its math library, no more.
 *
 * Nothing is allocated but by mignon_open_file, once: memory is one arena, whose size mignon_arena_size tells beforehand.
 * The bytes of the file are read where they lie, be it flash, and must stay as they are while the model is open. One
 * thread at a time may ask one model, since answers are worked out in its arena; several models may share the bytes.
 * docs/c.md describes all of it. */
#ifndef MIGNON_H
#define MIGNON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MIGNON_READER_VERSION "0.1.0"
#define MIGNON_NO_ROW UINT32_MAX

typedef enum {
    MIGNON_OK,
    MIGNON_DAMAGED, /* bytes of the file are missing or altered; the fault's part says where, if that can be told */
    MIGNON_FOREIGN, /* the file is whole, but its parts do not fit together, or mignon did not make it */
    MIGNON_LATER_VERSION, /* the file is of a later format */
    MIGNON_UNREADABLE, /* the file is missing or cannot be read, or there is no memory for it */
    MIGNON_NO_ROOM, /* the arena is too small, or more was asked for than the options allow */
    MIGNON_UNKNOWN_ITEM, /* nothing is called so; the message suggests what is alike */
    MIGNON_UNKNOWN_ATTRIBUTE, /* no item has the attribute, or the value */
    MIGNON_INVALID_ARGUMENT
} mignon_status;

/* What is read beside the table; what is left out takes no memory. */
enum {
    MIGNON_IDS = 1,
    MIGNON_NAMES = 2, /* names and aliases, and what finds them */
    MIGNON_ATTRIBUTES = 4, /* what conditions ask */
    MIGNON_FAMILIES = 8, /* kinds of items by name, such as "soup"; asks for all of the above */
    MIGNON_ALL = 15
};

typedef struct {
    unsigned parts;
    uint32_t most_results; /* the greatest k, or limit, that will be asked for, unless the table has fewer rows */
    uint32_t most_likes; /* the most favorites and dislikes of one question */
} mignon_options; /* where NULL is given: all parts, 100 results, 64 likes */

typedef struct {
    mignon_status status;
    char part[32]; /* of a damaged file the first part that was altered, as in docs/format.md; else empty */
    char message[256]; /* what was found, and what to do */
} mignon_fault;

typedef struct mignon mignon;

/* The bytes of an arena in which the file can be opened and asked. Memory that is not touched is counted too: names are
 * given three times their bytes, as folding may lengthen them. For a file that cannot be read it is what tells why. */
size_t mignon_arena_size(const void *bytes, size_t length, const mignon_options *options);

/* Opens a file that lies in memory. It is verified whole: by its digest, then part by part. `fault` may be NULL. */
mignon_status mignon_open(mignon **model, const void *bytes, size_t length, const mignon_options *options, void *arena,
                          size_t arena_bytes, mignon_fault *fault);

/* Reads a file into memory, which it allocates in one piece, and opens it there. */
mignon_status mignon_open_file(mignon **model, const char *path, const mignon_options *options, mignon_fault *fault);

/* Gives back what mignon_open_file allocated; a model in an arena of the caller's needs no closing. */
void mignon_close(mignon *model);

/* Why the last question was not answered. */
const mignon_fault *mignon_last_fault(const mignon *model);

/* A piece of text, in UTF-8, without a zero at its end. */
typedef struct {
    const char *start;
    size_t length;
} mignon_text;

uint32_t mignon_rows(const mignon *model);
uint32_t mignon_dims(const mignon *model);
size_t mignon_arena_used(const mignon *model); /* what the parts that are kept take */

/* NULL where the part was not opened, or there is no such row. */
const char *mignon_id(const mignon *model, uint32_t row);
const char *mignon_name(const mignon *model, uint32_t row);

/* The alias, or the attribute value, of a row by its number from 0; returns whether there is one. Each call looks through
 * the part from its start. */
int mignon_alias(const mignon *model, uint32_t row, size_t number, mignon_text *alias);
int mignon_attribute(const mignon *model, uint32_t row, size_t number, mignon_text *attribute, mignon_text *value);

/* The row with just this id, or MIGNON_NO_ROW. */
uint32_t mignon_row(const mignon *model, const char *id);

/* An item, or a family of items. */
typedef struct {
    uint32_t row; /* MIGNON_NO_ROW for a family */
    mignon_text attribute; /* of a family, whose id is `attribute=value`; else empty */
    mignon_text name; /* of the item, or the value that the family has */
    double score; /* from 0 to 1; from 0.9 on, what was meant is sure */
    uint32_t items; /* how many a family has */
} mignon_match;

/* What resembles `text`, best first. `matches` has room for `limit`. */
mignon_status mignon_find(mignon *model, const char *text, uint32_t limit, mignon_match *matches, uint32_t *count);

/* What `text` surely means; `unwanted` as a dislike or what is left out, where a family goes before an alias. */
mignon_status mignon_resolve(mignon *model, const char *text, int unwanted, mignon_match *match);

/* An item or a family: by its id, name, alias or a spelling away from one; or with NULL for a name by its row. */
typedef struct {
    const char *name;
    uint32_t row;
} mignon_item;

typedef struct {
    mignon_item item;
    double weight; /* 1 for a favorite; a negative one is a dislike; 0 only keeps the item from coming back */
} mignon_like;

/* The attribute of a result must be one of the values, or with `forbids` none of them. */
typedef struct {
    const char *attribute;
    const char *const *values;
    size_t value_count;
    int forbids;
} mignon_condition;

typedef enum { MIGNON_BLEND_DEFAULT, MIGNON_BLEND_EACH, MIGNON_BLEND_TOGETHER } mignon_blend;

typedef struct {
    const mignon_like *likes; /* of mignon_recommend; none ask for what is best known */
    size_t like_count;
    const mignon_item *excluded; /* what must not come back */
    size_t excluded_count;
    const mignon_condition *where; /* all must be met */
    size_t where_count;
    uint32_t k; /* from 1 */
    mignon_blend blend;
} mignon_question;

typedef struct {
    uint32_t row;
    float score; /* a cosine, or without favorites the share of the greatest popularity */
} mignon_neighbor;

/* Best first, ties by the lower row, fewer than k where fewer are eligible. `neighbors` has room for k, or for all rows. */
mignon_status mignon_recommend(mignon *model, const mignon_question *question, mignon_neighbor *neighbors,
                               uint32_t *count);

/* What is most like `item`; of a family its own items that are nearest to its middle. */
mignon_status mignon_similar(mignon *model, const mignon_item *item, const mignon_question *question,
                             mignon_neighbor *neighbors, uint32_t *count);

#ifdef __cplusplus
}
#endif
#endif
