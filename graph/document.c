/* YAML text to documents: trees of values, each with the place where it was written.
 *
 * The grammar is libyaml's; what it lets pass and a pipeline should not hold (duplicate keys, several documents, tags, unbounded
 * nesting and expansion) is found here.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#define LARGEST_FILE (16 << 20)
#define DEEPEST 64
#define MOST_VALUES 1000000
#define LONGEST_KEY 256

typedef struct
{
  yaml_parser_t parser;
  const char *name;
  WeftProblems *problems;
  GHashTable *anchors; /* name to Anchor */
  guint depth;
  guint64 values; /* so far, aliases counted at the size of what they stand for */
} Reader;

typedef struct
{
  WeftValue *value; /* NULL while its collection is still open */
  guint height;
  guint64 size;
  WeftMark mark;
} Anchor;

static void
anchor_free (gpointer data)
{
  Anchor *anchor = data;
  weft_value_unref (anchor->value);
  g_free (anchor);
}

static WeftMark
mark_at (const Reader *reader, yaml_mark_t mark)
{
  return (WeftMark){ reader->name, (guint) mark.line + 1, (guint) mark.column + 1 };
}

/* Line and column of byte @offset; columns count characters. */
static WeftMark
mark_of_offset (const char *name, const char *text, gsize offset)
{
  WeftMark mark = { name, 1, 1 };
  for (gsize i = 0; i < offset; i++)
    {
      if (text[i] == '\n')
        {
          mark.line++;
          mark.column = 1;
        }
      else if (((guchar) text[i] & 0xc0) != 0x80)
        mark.column++;
    }
  return mark;
}

/* What must not be in any text, found before the parser sees it: its own messages for these lack the place or the reason. */
static gboolean
check_bytes (const char *text, gsize length, const char *name, WeftProblems *problems)
{
  WeftMark whole = { name, 0, 0 };
  if (length > LARGEST_FILE)
    {
      weft_problems_add (problems, whole, "is larger than %d MiB; that is no pipeline", LARGEST_FILE >> 20);
      return FALSE;
    }
  if (length >= 2 && ((guchar) text[0] == 0xff || (guchar) text[0] == 0xfe) && ((guchar) text[1] == 0xfe || (guchar) text[1] == 0xff))
    {
      weft_problems_add (problems, whole, "is written in UTF-16; save it as UTF-8");
      return FALSE;
    }
  const char *zero = memchr (text, 0, length), *bad;
  gsize valid_length = zero ? (gsize) (zero - text) : length;
  if (!g_utf8_validate (text, (gssize) valid_length, &bad))
    {
      weft_problems_add (problems, mark_of_offset (name, text, (gsize) (bad - text)), "byte 0x%02x is not UTF-8; save the file as UTF-8",
                         (guchar) *bad);
      return FALSE;
    }
  if (zero)
    {
      weft_problems_add (problems, mark_of_offset (name, text, valid_length), "a NUL byte; this is no text file");
      return FALSE;
    }
  gboolean indentation = TRUE;
  for (gsize i = 0; i < length; i++)
    {
      guchar c = (guchar) text[i];
      if (c == '\n' || c == '\r')
        indentation = TRUE;
      else if (c == '\t' && indentation)
        {
          weft_problems_add (problems, mark_of_offset (name, text, i), "a tab in the indentation; YAML is indented with spaces only");
          return FALSE;
        }
      else if ((c < 0x20 && c != '\t') || c == 0x7f)
        {
          weft_problems_add (problems, mark_of_offset (name, text, i), "control character 0x%02x; write it as \"\\x%02x\" in double quotes",
                             c, c);
          return FALSE;
        }
      else if (c != ' ')
        indentation = FALSE;
    }
  return TRUE;
}

static const char *
hint_for (const char *problem)
{
  static const char *const hints[][2] = {
    { "mapping values are not allowed", "; is this line indented too far, or does a text hold \": \" and need quotes?" },
    { "cannot start any token", "; text that begins with this character needs quotes" },
    { "did not find expected key", "; does this line begin in the same column as its siblings?" },
    { "did not find expected '-' indicator", "; does this line begin in the same column as its siblings?" },
    { "did not find expected ',' or '}'", "; is a comma, a closing brace or a quote missing?" },
    { "did not find expected ',' or ']'", "; is a comma, a closing bracket or a quote missing?" },
    { "could not find expected ':'", "; is a \":\" missing, or the space after it?" },
    { "did not find expected <document start>", "; is this line indented less than the first?" },
    { "did not find expected node content", "; is a value missing, or does a text need quotes?" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (hints); i++)
    if (problem && strstr (problem, hints[i][0]))
      return hints[i][1];
  return "";
}

static void
report_syntax (Reader *reader, const char *text)
{
  const yaml_parser_t *parser = &reader->parser;
  if (parser->error == YAML_READER_ERROR)
    {
      weft_problems_add (reader->problems, mark_of_offset (reader->name, text, parser->problem_offset), "not valid YAML: %s",
                         parser->problem);
      return;
    }
  WeftMark mark = mark_at (reader, parser->problem_mark);
  g_autofree char *context = NULL;
  if (parser->context && g_str_has_prefix (parser->problem, "found unexpected end of stream"))
    {
      weft_problems_add (reader->problems, mark_at (reader, parser->context_mark),
                         "not valid YAML: a text in quotes begins here and never ends; is a closing quote missing?");
      return;
    }
  if (parser->context && parser->context_mark.line != parser->problem_mark.line)
    context = g_strdup_printf (" (%s that begins in line %u)", parser->context, (guint) parser->context_mark.line + 1);
  else if (parser->context)
    context = g_strdup_printf (" (%s)", parser->context);
  weft_problems_add (reader->problems, mark, "not valid YAML: %s%s%s", parser->problem ? parser->problem : "unreadable",
                     context ? context : "", hint_for (parser->problem));
}

/* Every value passes here: bounds on number and depth. */
static gboolean
count (Reader *reader, WeftMark mark, guint64 size, guint height)
{
  reader->values += size;
  if (reader->values > MOST_VALUES)
    {
      weft_problems_add (reader->problems, mark, "more than %d values, aliases counted with all they stand for", MOST_VALUES);
      return FALSE;
    }
  if (reader->depth + height > DEEPEST)
    {
      weft_problems_add (reader->problems, mark, "nested more than %d levels deep", DEEPEST);
      return FALSE;
    }
  return TRUE;
}

static void
check_tag (Reader *reader, const yaml_char_t *tag, WeftMark mark, gboolean *string)
{
  *string = FALSE;
  if (!tag)
    return;
  if (strcmp ((const char *) tag, YAML_STR_TAG) == 0 || strcmp ((const char *) tag, "!") == 0)
    *string = TRUE;
  else
    weft_problems_add (reader->problems, mark, "unknown tag \"%s\"; values have no tags here, except !!str for text", (const char *) tag);
}

static void
set_anchor (Reader *reader, const yaml_char_t *name, WeftValue *value, guint height, guint64 size, WeftMark mark)
{
  if (!name)
    return;
  Anchor *anchor = g_new0 (Anchor, 1);
  *anchor = (Anchor){ value ? weft_value_ref (value) : NULL, height, size, mark };
  g_hash_table_replace (reader->anchors, g_strdup ((const char *) name), anchor);
}

static WeftValue *
read_alias (Reader *reader, const char *name, WeftMark mark, guint *height)
{
  *height = 0;
  Anchor *anchor = g_hash_table_lookup (reader->anchors, name);
  if (!anchor)
    {
      g_autofree const char **names = (const char **) g_hash_table_get_keys_as_array (reader->anchors, NULL);
      g_autofree char *suggestion = weft_suggestion (name, names);
      weft_problems_add (reader->problems, mark, "no anchor &%s above%s", name, suggestion);
      return weft_value_new_null (mark);
    }
  if (!anchor->value)
    {
      weft_problems_add (reader->problems, mark, "*%s stands inside &%s (line %u): it would contain itself", name, name, anchor->mark.line);
      return weft_value_new_null (mark);
    }
  if (!count (reader, mark, anchor->size, anchor->height))
    return NULL;
  *height = anchor->height;
  return weft_value_ref (anchor->value);
}

static gboolean
is_null_word (const char *text)
{
  return *text == 0 || strcmp (text, "~") == 0 || strcmp (text, "null") == 0 || strcmp (text, "Null") == 0 || strcmp (text, "NULL") == 0;
}

static WeftValue *
read_scalar (Reader *reader, const yaml_event_t *event, WeftMark mark)
{
  const char *text = (const char *) event->data.scalar.value;
  gboolean string, quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  check_tag (reader, event->data.scalar.tag, mark, &string);
  if (strlen (text) != event->data.scalar.length)
    weft_problems_add (reader->problems, mark, "text with a NUL character");
  WeftValue *value =
      !quoted && !string && is_null_word (text) ? weft_value_new_null (mark) : weft_value_new_scalar (text, quoted || string, mark);
  set_anchor (reader, event->data.scalar.anchor, value, 0, 1, mark);
  return value;
}

static WeftValue *read_value (Reader *reader, yaml_event_t *event, guint *height);

static gboolean
next_event (Reader *reader, yaml_event_t *event)
{
  if (yaml_parser_parse (&reader->parser, event))
    return TRUE;
  memset (event, 0, sizeof *event);
  return FALSE;
}

/* Fills @list; %FALSE if reading can't go on. */
static gboolean
read_list (Reader *reader, WeftValue *list, guint *height)
{
  while (TRUE)
    {
      yaml_event_t event;
      if (!next_event (reader, &event))
        return FALSE;
      if (event.type == YAML_SEQUENCE_END_EVENT)
        {
          yaml_event_delete (&event);
          return TRUE;
        }
      guint item_height;
      WeftValue *item = read_value (reader, &event, &item_height);
      if (!item)
        return FALSE;
      *height = MAX (*height, item_height + 1);
      weft_value_append (list, item);
    }
}

/* `<<`: keys that the map does not have itself; of several maps the earlier ones count. */
static void
merge_map (Reader *reader, WeftValue *map, GHashTable *own, const WeftValue *source, WeftMark mark)
{
  if (weft_value_kind (source) == WEFT_VALUE_LIST)
    {
      for (guint i = 0; i < weft_value_length (source); i++)
        {
          const WeftValue *item = weft_value_item (source, i);
          if (weft_value_kind (item) == WEFT_VALUE_LIST)
            weft_problems_add (reader->problems, mark, "\"<<\" takes a map or a list of maps, not a list of lists");
          else
            merge_map (reader, map, own, item, mark);
        }
      return;
    }
  if (weft_value_kind (source) != WEFT_VALUE_MAP)
    {
      weft_problems_add (reader->problems, mark, "\"<<\" takes a map or a list of maps, such as *anchor");
      return;
    }
  for (guint i = 0; i < weft_value_length (source); i++)
    {
      const char *key = weft_value_key (source, i);
      if (!g_hash_table_contains (own, key) && !weft_value_lookup (map, key))
        weft_value_set (map, key, weft_value_key_mark (source, i), weft_value_ref (weft_value_item (source, i)));
    }
}

/* Own keys in order, with what `<<` (entry @merge) brings at its place. */
static WeftValue *
expand_merge (Reader *reader, WeftValue *written, guint merge)
{
  WeftValue *map = weft_value_new_map (weft_value_mark (written));
  g_autoptr (GHashTable) own = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < weft_value_length (written); i++)
    if (i != merge)
      g_hash_table_add (own, (gpointer) weft_value_key (written, i));
  for (guint i = 0; i < weft_value_length (written); i++)
    {
      WeftValue *item = weft_value_item (written, i);
      if (i == merge)
        merge_map (reader, map, own, item, weft_value_mark (item));
      else
        weft_value_set (map, weft_value_key (written, i), weft_value_key_mark (written, i), weft_value_ref (item));
    }
  return map;
}

/* One key; %NULL if it can't be one, with @failed set if reading can't go on. */
static char *
read_key (Reader *reader, yaml_event_t *event, WeftMark mark, gboolean *merge, gboolean *failed)
{
  *merge = *failed = FALSE;
  if (event->type == YAML_SCALAR_EVENT)
    {
      char *key = g_strdup ((const char *) event->data.scalar.value);
      gboolean string, plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      check_tag (reader, event->data.scalar.tag, mark, &string);
      *merge = plain && strcmp (key, "<<") == 0;
      gboolean usable = *key && event->data.scalar.length <= LONGEST_KEY;
      if (!usable)
        weft_problems_add (reader->problems, mark, *key ? "a key of more than %d bytes" : "a value without a key", LONGEST_KEY);
      WeftValue *anchored = weft_value_new_scalar (key, !plain, mark);
      set_anchor (reader, event->data.scalar.anchor, anchored, 0, 1, mark);
      weft_value_unref (anchored);
      yaml_event_delete (event);
      if (!usable)
        g_clear_pointer (&key, g_free);
      return key;
    }
  guint height;
  g_autoptr (WeftValue) value = read_value (reader, event, &height);
  *failed = value == NULL;
  if (value && weft_value_kind (value) == WEFT_VALUE_SCALAR)
    return g_strdup (weft_value_text (value));
  if (value)
    weft_problems_add (reader->problems, mark, "a key must be a word, not a %s; is it \"${name}\" without quotes?",
                       weft_value_kind (value) == WEFT_VALUE_LIST ? "list" : "map");
  return NULL;
}

static gboolean
check_duplicate (Reader *reader, const WeftValue *map, const char *key, WeftMark mark)
{
  if (!weft_value_lookup (map, key))
    return TRUE;
  weft_problems_add (reader->problems, mark, "key \"%s\" stands here twice; the first is in line %u", key,
                     weft_value_mark_of (map, key).line);
  return FALSE;
}

/* Reads entries into @map; %FALSE if reading can't go on. */
static gboolean
read_map (Reader *reader, WeftValue **map, guint *height)
{
  int merge_at = -1;
  while (TRUE)
    {
      yaml_event_t event;
      if (!next_event (reader, &event))
        return FALSE;
      if (event.type == YAML_MAPPING_END_EVENT)
        {
          yaml_event_delete (&event);
          break;
        }
      WeftMark mark = mark_at (reader, event.start_mark);
      gboolean merge, failed;
      g_autofree char *key = read_key (reader, &event, mark, &merge, &failed);
      if (failed || !next_event (reader, &event))
        return FALSE;
      guint value_height;
      g_autoptr (WeftValue) value = read_value (reader, &event, &value_height);
      if (!value)
        return FALSE;
      *height = MAX (*height, value_height + 1);
      if (!key || !check_duplicate (reader, *map, key, mark))
        continue;
      if (merge)
        merge_at = (int) weft_value_length (*map);
      weft_value_set (*map, key, mark, g_steal_pointer (&value));
    }
  if (merge_at >= 0)
    {
      WeftValue *written = *map;
      *map = expand_merge (reader, written, (guint) merge_at);
      weft_value_unref (written);
    }
  return TRUE;
}

/* Reads the value that begins with @event, which is consumed. Returns: %NULL if reading can't go on (the reason is reported). */
static WeftValue *
read_value (Reader *reader, yaml_event_t *event, guint *height)
{
  WeftMark mark = mark_at (reader, event->start_mark);
  *height = 0;
  if (event->type == YAML_ALIAS_EVENT)
    {
      WeftValue *value = read_alias (reader, (const char *) event->data.alias.anchor, mark, height);
      yaml_event_delete (event);
      return value;
    }
  if (!count (reader, mark, 1, 0))
    {
      yaml_event_delete (event);
      return NULL;
    }
  if (event->type == YAML_SCALAR_EVENT)
    {
      WeftValue *value = read_scalar (reader, event, mark);
      yaml_event_delete (event);
      return value;
    }
  gboolean is_list = event->type == YAML_SEQUENCE_START_EVENT, string;
  g_assert (is_list || event->type == YAML_MAPPING_START_EVENT);
  g_autofree char *anchor = g_strdup ((const char *) (is_list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor));
  check_tag (reader, is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag, mark, &string);
  yaml_event_delete (event);
  guint64 values_before = reader->values - 1;
  set_anchor (reader, (const yaml_char_t *) anchor, NULL, 0, 0, mark);

  g_autoptr (WeftValue) value = is_list ? weft_value_new_list (mark) : weft_value_new_map (mark);
  reader->depth++;
  gboolean whole = is_list ? read_list (reader, value, height) : read_map (reader, &value, height);
  reader->depth--;
  if (!whole)
    return NULL;
  set_anchor (reader, (const yaml_char_t *) anchor, value, *height, reader->values - values_before, mark);
  return g_steal_pointer (&value);
}

/* Stream and document frame around the root value. */
static WeftValue *
read_document (Reader *reader)
{
  g_autoptr (WeftValue) root = NULL;
  while (TRUE)
    {
      yaml_event_t event;
      if (!next_event (reader, &event))
        return NULL;
      yaml_event_type_t type = event.type;
      WeftMark mark = mark_at (reader, event.start_mark);
      if (type == YAML_STREAM_START_EVENT || type == YAML_STREAM_END_EVENT || type == YAML_DOCUMENT_END_EVENT
          || type == YAML_DOCUMENT_START_EVENT)
        yaml_event_delete (&event);
      if (type == YAML_STREAM_END_EVENT)
        break;
      if (type == YAML_DOCUMENT_START_EVENT && root)
        {
          weft_problems_add (reader->problems, mark, "a second document begins here; a file holds one");
          return NULL;
        }
      if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT || type == YAML_DOCUMENT_END_EVENT)
        continue;
      guint height;
      root = read_value (reader, &event, &height);
      if (!root)
        return NULL;
    }
  if (!root)
    root = weft_value_new_null ((WeftMark){ reader->name, 1, 1 });
  return g_steal_pointer (&root);
}

WeftValue *
weft_document_parse (const char *text, gssize length, const char *name, WeftProblems *problems)
{
  gsize bytes = length < 0 ? strlen (text) : (gsize) length;
  Reader reader = { .name = g_intern_string (name), .problems = problems };
  if (!check_bytes (text, bytes, reader.name, problems))
    return NULL;
  gboolean ready = yaml_parser_initialize (&reader.parser) != 0;
  g_assert (ready);
  yaml_parser_set_encoding (&reader.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string (&reader.parser, (const guchar *) text, bytes);
  reader.anchors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, anchor_free);

  WeftValue *root = read_document (&reader);
  if (!root && reader.parser.error != YAML_NO_ERROR)
    report_syntax (&reader, text);
  g_hash_table_unref (reader.anchors);
  yaml_parser_delete (&reader.parser);
  return root;
}

WeftValue *
weft_document_load (const char *path, WeftProblems *problems)
{
  gboolean input = strcmp (path, "-") == 0;
  const char *name = g_intern_string (input ? "<stdin>" : path);
  WeftMark mark = { name, 0, 0 };
  int file = input ? STDIN_FILENO : open (path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (file < 0 || fstat (file, &status) != 0)
    {
      weft_problems_add (problems, mark, "can't be opened: %s", g_strerror (errno));
      if (file > 0)
        close (file);
      return NULL;
    }
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gssize got = 0;
  errno = 0;
  while (bytes->len <= LARGEST_FILE)
    {
      guchar chunk[1 << 16];
      got = read (file, chunk, sizeof chunk);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        break;
      g_byte_array_append (bytes, chunk, (guint) got);
    }
  if (got < 0)
    weft_problems_add (problems, mark, "can't be read: %s%s", g_strerror (errno),
                       errno == EISDIR ? "; a pipeline is a file, and a run directory has a pipeline.yaml in it" : "");
  if (!input)
    close (file);
  return got < 0 ? NULL : weft_document_parse (bytes->len ? (const char *) bytes->data : "", bytes->len, name, problems);
}
