/* A reader of Python pickles that builds values and executes nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "pickle.h"

#include <stdarg.h>
#include <string.h>

#include <weft/operator.h>

#define HIGHEST_PROTOCOL 5
#define MOST_VALUES (1 << 22) /* a state dictionary takes a few dozen a tensor */

struct _WeftPickle
{
  GPtrArray *values; /* (element-type WeftPickled): all of them */
  const WeftPickled *root;
};

typedef struct
{
  WeftPickle *pickle;
  const guint8 *data;
  gsize length, at, operation; /* operation: where the current one starts */
  guint64 offset;
  GPtrArray *stack; /* (element-type WeftPickled): unowned; NULL is a mark */
  GHashTable *memo; /* number → WeftPickled */
  guint copied;     /* items of collections made from others */
  gboolean stopped;
  const char *const *globals;
  const char *path;
} Reader;

typedef gboolean (*Operation) (Reader *reader, gint64 argument, GError **error);

static gboolean G_GNUC_PRINTF (3, 4) refuse (const Reader *reader, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: at byte %" G_GUINT64_FORMAT ": %s", reader->path,
               reader->offset + reader->operation, what);
  return FALSE;
}

static void
free_value (gpointer data)
{
  WeftPickled *value = data;
  g_free (value->text);
  g_clear_pointer (&value->items, g_ptr_array_unref);
  g_free (value);
}

static WeftPickled *
push (Reader *reader, WeftPickleKind kind)
{
  WeftPickled *value = g_new0 (WeftPickled, 1);
  value->kind = kind;
  value->offset = reader->offset + reader->operation;
  g_ptr_array_add (reader->pickle->values, value);
  g_ptr_array_add (reader->stack, value);
  return value;
}

/* The next @length bytes; NULL if there are fewer. */
static const guint8 *
take (Reader *reader, guint64 length, GError **error)
{
  const guint8 *bytes = reader->data + reader->at;
  if (length > reader->length - reader->at)
    {
      refuse (reader, error, "the pickle ends inside a value of %" G_GUINT64_FORMAT " bytes", length);
      return NULL;
    }
  reader->at += length;
  return bytes;
}

static WeftPickled *
top (Reader *reader, guint depth)
{
  return reader->stack->len > depth ? reader->stack->pdata[reader->stack->len - 1 - depth] : NULL;
}

/* The topmost value, taken off; NULL if there is none or a mark is in the way. */
static WeftPickled *
pop (Reader *reader, GError **error)
{
  WeftPickled *value = top (reader, 0);
  if (value == NULL)
    {
      refuse (reader, error, "the operation needs a value that is not there");
      return NULL;
    }
  g_ptr_array_set_size (reader->stack, (int) reader->stack->len - 1);
  return value;
}

/* Moves what lies above the topmost mark, which goes too, to the end of @items. */
static gboolean
pop_to_mark (Reader *reader, GPtrArray *items, GError **error)
{
  guint mark = reader->stack->len;
  while (mark > 0 && reader->stack->pdata[mark - 1] != NULL)
    mark--;
  if (mark == 0)
    return refuse (reader, error, "the operation needs a mark that is not there");
  for (guint i = mark; i < reader->stack->len; i++)
    g_ptr_array_add (items, reader->stack->pdata[i]);
  g_ptr_array_set_size (reader->stack, (int) mark - 1);
  return TRUE;
}

static gboolean
read_protocol (Reader *reader, gint64 version, GError **error)
{
  if (version < 2 || version > HIGHEST_PROTOCOL)
    return refuse (reader, error, "pickle protocol %" G_GINT64_FORMAT "; 2 to %d are known", version, HIGHEST_PROTOCOL);
  return TRUE;
}

static gboolean
read_frame (Reader *reader, gint64 length, GError **error)
{
  if ((guint64) length > reader->length - reader->at)
    return refuse (reader, error, "a frame of %" G_GUINT64_FORMAT " bytes is longer than the pickle", (guint64) length);
  return TRUE;
}

static gboolean
push_mark (Reader *reader, gint64 argument, GError **error)
{
  (void) argument, (void) error;
  g_ptr_array_add (reader->stack, NULL);
  return TRUE;
}

static gboolean
stop (Reader *reader, gint64 argument, GError **error)
{
  (void) argument;
  reader->stopped = TRUE;
  reader->pickle->root = pop (reader, error);
  return reader->pickle->root != NULL;
}

static gboolean
drop (Reader *reader, gint64 argument, GError **error)
{
  (void) argument;
  if (reader->stack->len == 0)
    return refuse (reader, error, "nothing to drop");
  g_ptr_array_set_size (reader->stack, (int) reader->stack->len - 1);
  return TRUE;
}

static gboolean
push_none (Reader *reader, gint64 argument, GError **error)
{
  (void) argument, (void) error;
  push (reader, WEFT_PICKLE_NONE);
  return TRUE;
}

static gboolean
push_true (Reader *reader, gint64 argument, GError **error)
{
  (void) argument, (void) error;
  push (reader, WEFT_PICKLE_BOOLEAN)->integer = 1;
  return TRUE;
}

static gboolean
push_false (Reader *reader, gint64 argument, GError **error)
{
  (void) argument, (void) error;
  push (reader, WEFT_PICKLE_BOOLEAN);
  return TRUE;
}

static gboolean
push_integer (Reader *reader, gint64 argument, GError **error)
{
  (void) error;
  push (reader, WEFT_PICKLE_INTEGER)->integer = argument;
  return TRUE;
}

static gboolean
push_signed (Reader *reader, gint64 argument, GError **error)
{
  return push_integer (reader, (gint32) argument, error);
}

static gboolean
push_text_of (Reader *reader, WeftPickleKind kind, gint64 length, GError **error)
{
  const guint8 *bytes = take (reader, (guint64) length, error);
  if (bytes == NULL)
    return FALSE;
  if (kind == WEFT_PICKLE_TEXT && (!g_utf8_validate ((const char *) bytes, (gssize) length, NULL)))
    return refuse (reader, error, "text that is not UTF-8 or contains a zero");
  WeftPickled *value = push (reader, kind);
  value->text = g_malloc ((gsize) length + 1);
  memcpy (value->text, bytes, (gsize) length);
  value->text[length] = '\0';
  value->length = (gsize) length;
  return TRUE;
}

static gboolean
push_text (Reader *reader, gint64 length, GError **error)
{
  return push_text_of (reader, WEFT_PICKLE_TEXT, length, error);
}

static gboolean
push_bytes (Reader *reader, gint64 length, GError **error)
{
  return push_text_of (reader, WEFT_PICKLE_BYTES, length, error);
}

static gboolean
push_long (Reader *reader, gint64 length, GError **error)
{
  guint64 number = 0;
  if (length > 8)
    return push_text_of (reader, WEFT_PICKLE_LONG, length, error);
  const guint8 *bytes = take (reader, (guint64) length, error);
  if (bytes == NULL)
    return FALSE;
  for (gint64 i = 0; i < length; i++)
    number |= (guint64) bytes[i] << 8 * i;
  if (length > 0 && length < 8 && bytes[length - 1] & 0x80)
    number |= ~(guint64) 0 << 8 * length;
  return push_integer (reader, (gint64) number, error);
}

static gboolean
push_number (Reader *reader, gint64 argument, GError **error)
{
  const guint8 *bytes = take (reader, 8, error);
  guint64 number = 0;
  (void) argument;
  if (bytes == NULL)
    return FALSE;
  for (int i = 0; i < 8; i++)
    number = number << 8 | bytes[i];
  memcpy (&push (reader, WEFT_PICKLE_NUMBER)->number, &number, 8);
  return TRUE;
}

static GPtrArray *
push_items (Reader *reader, WeftPickleKind kind)
{
  WeftPickled *value = push (reader, kind);
  value->items = g_ptr_array_new ();
  return value->items;
}

static gboolean
push_collection (Reader *reader, WeftPickleKind kind, gboolean filled, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  if (filled && !pop_to_mark (reader, items, error))
    return FALSE;
  if (kind == WEFT_PICKLE_DICTIONARY && items->len % 2 != 0)
    return refuse (reader, error, "a dictionary with a key that has no value");
  push (reader, kind)->items = g_steal_pointer (&items);
  return TRUE;
}

static gboolean
push_list (Reader *reader, gint64 filled, GError **error)
{
  return push_collection (reader, WEFT_PICKLE_LIST, filled != 0, error);
}

static gboolean
push_dictionary (Reader *reader, gint64 filled, GError **error)
{
  return push_collection (reader, WEFT_PICKLE_DICTIONARY, filled != 0, error);
}

static gboolean
push_tuple (Reader *reader, gint64 filled, GError **error)
{
  return push_collection (reader, WEFT_PICKLE_TUPLE, filled != 0, error);
}

static gboolean
push_short_tuple (Reader *reader, gint64 count, GError **error)
{
  for (gint64 i = 0; i < count; i++)
    if (top (reader, (guint) i) == NULL)
      return refuse (reader, error, "a tuple of %" G_GINT64_FORMAT " values that are not there", count);
  guint first = reader->stack->len - (guint) count;
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  for (guint i = first; i < reader->stack->len; i++)
    g_ptr_array_add (items, reader->stack->pdata[i]);
  g_ptr_array_set_size (reader->stack, (int) first);
  push (reader, WEFT_PICKLE_TUPLE)->items = g_steal_pointer (&items);
  return TRUE;
}

/* Adds @items to the collection on top of the stack. */
static gboolean
extend (Reader *reader, WeftPickleKind kind, const GPtrArray *items, GError **error)
{
  WeftPickled *to = top (reader, 0);
  if (to == NULL || to->kind != kind)
    return refuse (reader, error, "items for a %s that is not there", kind == WEFT_PICKLE_LIST ? "list" : "dictionary");
  if (kind == WEFT_PICKLE_DICTIONARY && items->len % 2 != 0)
    return refuse (reader, error, "a dictionary with a key that has no value");
  for (guint i = 0; i < items->len; i++)
    g_ptr_array_add (to->items, items->pdata[i]);
  return TRUE;
}

static gboolean
add_items (Reader *reader, WeftPickleKind kind, gint64 count, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  if (count == 0 && !pop_to_mark (reader, items, error))
    return FALSE;
  for (gint64 i = 0; i < count; i++)
    {
      WeftPickled *value = pop (reader, error);
      if (value == NULL)
        return FALSE;
      g_ptr_array_insert (items, 0, value);
    }
  return extend (reader, kind, items, error);
}

/* @count: items on the stack, 0 for all above the mark. */
static gboolean
add_to_list (Reader *reader, gint64 count, GError **error)
{
  return add_items (reader, WEFT_PICKLE_LIST, count, error);
}

static gboolean
add_to_dictionary (Reader *reader, gint64 count, GError **error)
{
  return add_items (reader, WEFT_PICKLE_DICTIONARY, count, error);
}

static gboolean
push_global_named (Reader *reader, const char *module, const char *name, GError **error)
{
  g_autofree char *full = g_strconcat (module, ".", name, NULL);
  if (!g_strv_contains (reader->globals, full))
    {
      g_autofree char *printable = g_strescape (full, NULL);
      return refuse (reader, error, "the pickle asks for `%.200s`, which no saved tensor needs; nothing of it was executed", printable);
    }
  push (reader, WEFT_PICKLE_GLOBAL)->text = g_steal_pointer (&full);
  return TRUE;
}

static char *
take_line (Reader *reader, GError **error)
{
  const guint8 *start = reader->data + reader->at;
  const guint8 *end = memchr (start, '\n', reader->length - reader->at);
  if (end == NULL || !g_utf8_validate ((const char *) start, end - start, NULL))
    {
      refuse (reader, error, "a name without end or not in UTF-8");
      return NULL;
    }
  reader->at += (gsize) (end - start) + 1;
  return g_strndup ((const char *) start, (gsize) (end - start));
}

static gboolean
push_global (Reader *reader, gint64 argument, GError **error)
{
  (void) argument;
  g_autofree char *module = take_line (reader, error);
  g_autofree char *name = module != NULL ? take_line (reader, error) : NULL;
  return name != NULL && push_global_named (reader, module, name, error);
}

static gboolean
push_stack_global (Reader *reader, gint64 argument, GError **error)
{
  const WeftPickled *name = pop (reader, error), *module = name != NULL ? pop (reader, error) : NULL;
  (void) argument;
  if (module == NULL)
    return FALSE;
  if (name->kind != WEFT_PICKLE_TEXT || module->kind != WEFT_PICKLE_TEXT)
    return refuse (reader, error, "the name of a global is not text");
  return push_global_named (reader, module->text, name->text, error);
}

/* An ordered dictionary is called into being empty, or with a list of pairs. */
static gboolean
push_ordered (Reader *reader, const WeftPickled *arguments, GError **error)
{
  const WeftPickled *pairs = arguments->items->len > 0 ? arguments->items->pdata[0] : NULL;
  GPtrArray *items = push_items (reader, WEFT_PICKLE_DICTIONARY);
  if (pairs != NULL && pairs->kind != WEFT_PICKLE_LIST)
    return refuse (reader, error, "an ordered dictionary from something other than a list of pairs");
  for (guint i = 0; pairs != NULL && i < pairs->items->len; i++)
    {
      const WeftPickled *pair = pairs->items->pdata[i];
      if ((pair->kind != WEFT_PICKLE_LIST && pair->kind != WEFT_PICKLE_TUPLE) || pair->items->len != 2)
        return refuse (reader, error, "an ordered dictionary from something other than a list of pairs");
      g_ptr_array_add (items, pair->items->pdata[0]);
      g_ptr_array_add (items, pair->items->pdata[1]);
      if (++reader->copied > MOST_VALUES)
        return refuse (reader, error, "more values than any model has");
    }
  return TRUE;
}

static gboolean
push_call (Reader *reader, gint64 argument, GError **error)
{
  WeftPickled *arguments = pop (reader, error), *callee = arguments != NULL ? pop (reader, error) : NULL;
  (void) argument;
  if (callee == NULL)
    return FALSE;
  if (callee->kind != WEFT_PICKLE_GLOBAL || arguments->kind != WEFT_PICKLE_TUPLE)
    return refuse (reader, error, "a call of something that is not a global, or without a tuple of arguments");
  if (g_str_equal (callee->text, "collections.OrderedDict"))
    return push_ordered (reader, arguments, error);
  GPtrArray *items = push_items (reader, WEFT_PICKLE_CALL);
  g_ptr_array_add (items, callee);
  g_ptr_array_add (items, arguments);
  return TRUE;
}

/* Gives an object its attributes. A state dictionary's are of no interest (`_metadata`), nor are those of training options. */
static gboolean
ignore_state (Reader *reader, gint64 argument, GError **error)
{
  (void) argument;
  if (pop (reader, error) == NULL)
    return FALSE;
  return top (reader, 0) != NULL || refuse (reader, error, "attributes for an object that is not there");
}

static gboolean
push_persistent (Reader *reader, gint64 argument, GError **error)
{
  WeftPickled *identifier = pop (reader, error);
  (void) argument;
  if (identifier == NULL)
    return FALSE;
  g_ptr_array_add (push_items (reader, WEFT_PICKLE_PERSISTENT), identifier);
  return TRUE;
}

static gboolean
memorise (Reader *reader, gint64 index, GError **error)
{
  if (top (reader, 0) == NULL)
    return refuse (reader, error, "nothing to memorise");
  g_hash_table_insert (reader->memo, GUINT_TO_POINTER ((guint) index), top (reader, 0));
  return TRUE;
}

static gboolean
memorise_next (Reader *reader, gint64 argument, GError **error)
{
  (void) argument;
  return memorise (reader, g_hash_table_size (reader->memo), error);
}

static gboolean
recall (Reader *reader, gint64 index, GError **error)
{
  WeftPickled *value = g_hash_table_lookup (reader->memo, GUINT_TO_POINTER ((guint) index));
  if (value == NULL)
    return refuse (reader, error, "number %" G_GINT64_FORMAT " was never memorised", index);
  g_ptr_array_add (reader->stack, value);
  return TRUE;
}

/* What an operation does, the bytes of its little-endian argument, and the argument itself where it has no bytes. */
static const struct
{
  Operation run; /* NULL: refused by name */
  const char *name;
  guint8 bytes, value;
} operations[256] = {
  [0x80] = { read_protocol, "PROTO", 1, 0 },
  [0x95] = { read_frame, "FRAME", 8, 0 },
  ['.'] = { stop, "STOP", 0, 0 },
  ['('] = { push_mark, "MARK", 0, 0 },
  ['0'] = { drop, "POP", 0, 0 },
  ['N'] = { push_none, "NONE", 0, 0 },
  [0x88] = { push_true, "NEWTRUE", 0, 0 },
  [0x89] = { push_false, "NEWFALSE", 0, 0 },
  ['J'] = { push_signed, "BININT", 4, 0 },
  ['K'] = { push_integer, "BININT1", 1, 0 },
  ['M'] = { push_integer, "BININT2", 2, 0 },
  [0x8a] = { push_long, "LONG1", 1, 0 },
  [0x8b] = { push_long, "LONG4", 4, 0 },
  ['G'] = { push_number, "BINFLOAT", 0, 0 },
  ['X'] = { push_text, "BINUNICODE", 4, 0 },
  [0x8c] = { push_text, "SHORT_BINUNICODE", 1, 0 },
  [0x8d] = { push_text, "BINUNICODE8", 8, 0 },
  ['T'] = { push_bytes, "BINSTRING", 4, 0 },
  ['U'] = { push_bytes, "SHORT_BINSTRING", 1, 0 },
  ['B'] = { push_bytes, "BINBYTES", 4, 0 },
  ['C'] = { push_bytes, "SHORT_BINBYTES", 1, 0 },
  [0x8e] = { push_bytes, "BINBYTES8", 8, 0 },
  [']'] = { push_list, "EMPTY_LIST", 0, 0 },
  ['l'] = { push_list, "LIST", 0, 1 },
  ['a'] = { add_to_list, "APPEND", 0, 1 },
  ['e'] = { add_to_list, "APPENDS", 0, 0 },
  ['}'] = { push_dictionary, "EMPTY_DICT", 0, 0 },
  ['d'] = { push_dictionary, "DICT", 0, 1 },
  ['s'] = { add_to_dictionary, "SETITEM", 0, 2 },
  ['u'] = { add_to_dictionary, "SETITEMS", 0, 0 },
  [')'] = { push_tuple, "EMPTY_TUPLE", 0, 0 },
  ['t'] = { push_tuple, "TUPLE", 0, 1 },
  [0x85] = { push_short_tuple, "TUPLE1", 0, 1 },
  [0x86] = { push_short_tuple, "TUPLE2", 0, 2 },
  [0x87] = { push_short_tuple, "TUPLE3", 0, 3 },
  ['c'] = { push_global, "GLOBAL", 0, 0 },
  [0x93] = { push_stack_global, "STACK_GLOBAL", 0, 0 },
  ['R'] = { push_call, "REDUCE", 0, 0 },
  [0x81] = { push_call, "NEWOBJ", 0, 0 },
  ['b'] = { ignore_state, "BUILD", 0, 0 },
  ['Q'] = { push_persistent, "BINPERSID", 0, 0 },
  ['q'] = { memorise, "BINPUT", 1, 0 },
  ['r'] = { memorise, "LONG_BINPUT", 4, 0 },
  [0x94] = { memorise_next, "MEMOIZE", 0, 0 },
  ['h'] = { recall, "BINGET", 1, 0 },
  ['j'] = { recall, "LONG_BINGET", 4, 0 },
  ['1'] = { NULL, "POP_MARK", 0, 0 },
  ['2'] = { NULL, "DUP", 0, 0 },
  ['I'] = { NULL, "INT", 0, 0 },
  ['L'] = { NULL, "LONG", 0, 0 },
  ['F'] = { NULL, "FLOAT", 0, 0 },
  ['S'] = { NULL, "STRING", 0, 0 },
  ['V'] = { NULL, "UNICODE", 0, 0 },
  ['P'] = { NULL, "PERSID", 0, 0 },
  ['p'] = { NULL, "PUT", 0, 0 },
  ['g'] = { NULL, "GET", 0, 0 },
  ['i'] = { NULL, "INST", 0, 0 },
  ['o'] = { NULL, "OBJ", 0, 0 },
  [0x82] = { NULL, "EXT1", 0, 0 },
  [0x83] = { NULL, "EXT2", 0, 0 },
  [0x84] = { NULL, "EXT4", 0, 0 },
  [0x8f] = { NULL, "EMPTY_SET", 0, 0 },
  [0x90] = { NULL, "ADDITEMS", 0, 0 },
  [0x91] = { NULL, "FROZENSET", 0, 0 },
  [0x92] = { NULL, "NEWOBJ_EX", 0, 0 },
  [0x96] = { NULL, "BYTEARRAY8", 0, 0 },
  [0x97] = { NULL, "NEXT_BUFFER", 0, 0 },
  [0x98] = { NULL, "READONLY_BUFFER", 0, 0 },
};

static gboolean
step (Reader *reader, GError **error)
{
  guint64 argument = 0;
  reader->operation = reader->at;
  if (reader->pickle->values->len + reader->stack->len + g_hash_table_size (reader->memo) > MOST_VALUES)
    return refuse (reader, error, "more values than any model has");
  const guint8 *code = take (reader, 1, error);
  if (code == NULL)
    return FALSE;
  if (operations[*code].run == NULL && operations[*code].name != NULL)
    return refuse (reader, error, "the pickle operation %s, which no saved tensor needs", operations[*code].name);
  if (operations[*code].run == NULL)
    return refuse (reader, error, "0x%02x is no pickle operation", *code);
  const guint8 *bytes = take (reader, operations[*code].bytes, error);
  if (bytes == NULL)
    return FALSE;
  for (guint i = 0; i < operations[*code].bytes; i++)
    argument |= (guint64) bytes[i] << 8 * i;
  if (operations[*code].bytes == 0)
    argument = operations[*code].value;
  return operations[*code].run (reader, (gint64) argument, error);
}

WeftPickle *
weft_pickle_read (const guint8 *data, gsize length, guint64 offset, gsize *used, const char *const *globals, const char *path,
                  GError **error)
{
  g_autoptr (WeftPickle) pickle = g_new0 (WeftPickle, 1);
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_autoptr (GHashTable) memo = g_hash_table_new (NULL, NULL);
  Reader reader = {
    .pickle = pickle, .data = data, .length = length, .offset = offset, .stack = stack, .memo = memo, .globals = globals, .path = path
  };
  pickle->values = g_ptr_array_new_with_free_func (free_value);
  while (!reader.stopped)
    if (!step (&reader, error))
      return NULL;
  if (used != NULL)
    *used = reader.at;
  return g_steal_pointer (&pickle);
}

const WeftPickled *
weft_pickle_root (const WeftPickle *pickle)
{
  return pickle->root;
}

const GPtrArray *
weft_pickle_values (const WeftPickle *pickle)
{
  return pickle->values;
}

void
weft_pickle_free (WeftPickle *pickle)
{
  if (pickle == NULL)
    return;
  g_ptr_array_unref (pickle->values);
  g_free (pickle);
}

const WeftPickled *
weft_pickled_item (const WeftPickled *value, guint index, WeftPickleKind kind)
{
  const WeftPickled *item = value->items != NULL && index < value->items->len ? value->items->pdata[index] : NULL;
  return item != NULL && item->kind == kind ? item : NULL;
}

gboolean
weft_pickled_calls (const WeftPickled *value, const char *name)
{
  const WeftPickled *callee = value->kind == WEFT_PICKLE_CALL ? weft_pickled_item (value, 0, WEFT_PICKLE_GLOBAL) : NULL;
  return callee != NULL && g_str_equal (callee->text, name);
}
