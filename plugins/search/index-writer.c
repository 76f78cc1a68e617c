/* Writing an index.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "index-writer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <gio/gio.h>

#include <weft/npy-rows.h>
#include <weft/npy.h>
#include <weft/operator.h>

#include "nearest.h"

#define LARGEST_FLOAT16 65504.0f

struct _IndexWriter
{
  char *path;
  Scan scan;
  JsonBuilder *description;
  /* the present side */
  char *name;
  gboolean text;
  gint64 rows, width, items;
  WeftNpyRows *exact, *scanned;
  GArray *errors, *scales; /* float */
  GString *lines;
};

static char *
file_of (const IndexWriter *writer, const char *suffix)
{
  g_autofree char *name = g_strconcat (writer->name, suffix, NULL);
  return g_build_filename (writer->path, name, NULL);
}

/* Only pictures of an earlier index; nothing else is removed. */
static void
remove_pictures (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir)))
    if (picture_type (name) && g_ascii_isdigit (*name))
      {
        g_autofree char *path = g_build_filename (folder, name, NULL);
        g_unlink (path);
      }
}

IndexWriter *
index_writer_open (const char *path, const char *run, const char *const *settings, Scan scan, GError **error)
{
  g_autoptr (IndexWriter) writer = g_new0 (IndexWriter, 1);
  writer->path = g_strdup (path);
  writer->scan = scan;
  g_autofree char *description = g_build_filename (path, "index.json", NULL), *pictures = g_build_filename (path, "pictures", NULL);
  if (g_mkdir_with_parents (pictures, 0777) != 0 || (g_unlink (description) != 0 && errno != ENOENT))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s can't be written: %s", path, g_strerror (errno));
      return NULL;
    }
  remove_pictures (pictures);
  g_autofree char *absolute = g_canonicalize_filename (run, NULL);
  writer->description = json_builder_new ();
  json_builder_begin_object (writer->description);
  json_builder_set_member_name (writer->description, "version");
  json_builder_add_int_value (writer->description, INDEX_VERSION);
  json_builder_set_member_name (writer->description, "run");
  json_builder_add_string_value (writer->description, g_file_test (run, G_FILE_TEST_EXISTS) ? absolute : run);
  json_builder_set_member_name (writer->description, "settings");
  json_builder_begin_array (writer->description);
  for (; settings && *settings; settings++)
    json_builder_add_string_value (writer->description, *settings);
  json_builder_end_array (writer->description);
  json_builder_set_member_name (writer->description, "sides");
  json_builder_begin_object (writer->description);
  return g_steal_pointer (&writer);
}

static void
clear_side (IndexWriter *writer)
{
  g_clear_pointer (&writer->exact, weft_npy_rows_free);
  g_clear_pointer (&writer->scanned, weft_npy_rows_free);
  g_clear_pointer (&writer->errors, g_array_unref);
  g_clear_pointer (&writer->scales, g_array_unref);
  g_clear_pointer (&writer->name, g_free);
  if (writer->lines)
    g_string_free (g_steal_pointer (&writer->lines), TRUE);
}

void
index_writer_free (IndexWriter *writer)
{
  if (writer == NULL)
    return;
  clear_side (writer);
  g_clear_object (&writer->description);
  g_free (writer->path);
  g_free (writer);
}

gboolean
index_writer_begin_side (IndexWriter *writer, const char *name, gboolean text, GError **error)
{
  clear_side (writer);
  writer->name = g_strdup (name);
  writer->text = text;
  writer->rows = writer->width = writer->items = 0;
  writer->errors = g_array_new (FALSE, FALSE, sizeof (float));
  writer->scales = g_array_new (FALSE, FALSE, sizeof (float));
  writer->lines = g_string_new (NULL);
  g_autofree char *exact = file_of (writer, ".npy"),
                  *scanned = file_of (writer, writer->scan == SCAN_FLOAT16 ? "-float16.npy" : "-int8.npy");
  writer->exact = weft_npy_rows_open (exact, error);
  if (writer->exact && writer->scan != SCAN_FLOAT32)
    writer->scanned = weft_npy_rows_open (scanned, error);
  return writer->exact && (writer->scan == SCAN_FLOAT32 || writer->scanned);
}

/* Packs one row and writes it in both forms. */
static gboolean
append_row (IndexWriter *writer, const float *row, gpointer packed, GError **error)
{
  gsize width = (gsize) writer->width;
  float scale = 1, bound = writer->scan == SCAN_FLOAT16 ? nearest_pack_float16 (row, writer->width, packed)
                           : writer->scan == SCAN_INT8  ? nearest_pack_int8 (row, writer->width, packed, &scale)
                                                        : nearest_error_float32 (row, writer->width);
  gsize bytes = width * (writer->scan == SCAN_FLOAT16 ? 2 : 1);
  g_array_append_val (writer->errors, bound);
  g_array_append_val (writer->scales, scale);
  return weft_npy_rows_append (writer->exact, row, width * sizeof (float), error)
         && (writer->scan == SCAN_FLOAT32 || weft_npy_rows_append (writer->scanned, packed, bytes, error));
}

gboolean
index_writer_append (IndexWriter *writer, const float *rows, gint64 n, gint64 width, GError **error)
{
  g_autofree guint16 *packed = g_new (guint16, width);
  if (writer->rows > 0 && width != writer->width)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: rows of %" G_GINT64_FORMAT " numbers after rows of %" G_GINT64_FORMAT,
                   writer->name, width, writer->width);
      return FALSE;
    }
  writer->width = width;
  for (gint64 i = 0; i < n; i++)
    {
      for (gint64 k = 0; k < width; k++)
        if (!(fabsf (rows[i * width + k]) <= (writer->scan == SCAN_FLOAT16 ? LARGEST_FLOAT16 : G_MAXFLOAT)))
          {
            g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: the embedding of item %" G_GINT64_FORMAT " holds %g, which is %s",
                         writer->name, writer->rows + i, (double) rows[i * width + k],
                         isfinite (rows[i * width + k]) ? "too large for float16; use --scan float32" : "no finite number");
            return FALSE;
          }
      if (!append_row (writer, rows + i * width, packed, error))
        return FALSE;
    }
  writer->rows += n;
  return TRUE;
}

void
index_writer_append_item (IndexWriter *writer, const char *item, gsize length)
{
  for (gsize i = 0; i < length; i++)
    g_string_append_c (writer->lines, item[i] == '\n' || item[i] == '\r' || item[i] == '\0' ? ' ' : item[i]);
  g_string_append_c (writer->lines, '\n');
  writer->items++;
}

gint64
index_writer_rows (const IndexWriter *writer)
{
  return writer->rows;
}

static gboolean
write_floats (const IndexWriter *writer, const char *suffix, const GArray *values, GError **error)
{
  g_autofree char *path = file_of (writer, suffix);
  const WeftTensor tensor = { .type = WEFT_F32, .rank = 1, .shape = { values->len }, .data = values->data };
  return weft_npy_write (path, &tensor, error);
}

static void
describe_side (IndexWriter *writer)
{
  JsonBuilder *description = writer->description;
  json_builder_set_member_name (description, writer->name);
  json_builder_begin_object (description);
  json_builder_set_member_name (description, "rows");
  json_builder_add_int_value (description, writer->rows);
  json_builder_set_member_name (description, "width");
  json_builder_add_int_value (description, writer->width);
  json_builder_set_member_name (description, "scan");
  json_builder_add_string_value (description, scan_names[writer->scan]);
  json_builder_set_member_name (description, "text");
  json_builder_add_boolean_value (description, writer->text);
  json_builder_end_object (description);
}

/* The names, or none: those of an earlier index must not be taken for these. */
static gboolean
write_items (IndexWriter *writer, GError **error)
{
  g_autofree char *path = file_of (writer, ".txt");
  if (writer->items == 0)
    {
      g_unlink (path);
      return TRUE;
    }
  if (writer->items == writer->rows)
    return g_file_set_contents (path, writer->lines->str, (gssize) writer->lines->len, error);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %" G_GINT64_FORMAT " items have %" G_GINT64_FORMAT " names", writer->name,
               writer->rows, writer->items);
  return FALSE;
}

gboolean
index_writer_end_side (IndexWriter *writer, GError **error)
{
  static const WeftType types[] = { WEFT_F32, WEFT_F16, WEFT_U8 };
  WeftTensor shape = { .type = WEFT_F32, .rank = 2, .shape = { writer->rows, writer->width } };
  if (writer->rows == 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: there are no items", writer->name);
      return FALSE;
    }
  if (!weft_npy_rows_finish (writer->exact, &shape, error))
    return FALSE;
  shape.type = types[writer->scan];
  if (writer->scan != SCAN_FLOAT32 && !weft_npy_rows_finish (writer->scanned, &shape, error))
    return FALSE;
  if (!write_floats (writer, "-errors.npy", writer->errors, error)
      || (writer->scan == SCAN_INT8 && !write_floats (writer, "-scales.npy", writer->scales, error)) || !write_items (writer, error))
    return FALSE;
  describe_side (writer);
  return TRUE;
}

gboolean
index_writer_add_picture (IndexWriter *writer, gint64 row, const char *path, GError **error)
{
  const char *dot = strrchr (path, '.');
  g_autofree char *ending = dot ? g_ascii_strdown (dot, -1) : NULL;
  if (!ending || !picture_type (ending))
    return TRUE;
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT "%s", row, ending);
  g_autofree char *to = g_build_filename (writer->path, "pictures", name, NULL);
  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK) && link (path, to) == 0)
    return TRUE;
  g_autoptr (GFile) source = g_file_new_for_path (path), target = g_file_new_for_path (to);
  return g_file_copy (source, target, G_FILE_COPY_OVERWRITE | G_FILE_COPY_TARGET_DEFAULT_PERMS, NULL, NULL, NULL, error);
}

gboolean
index_writer_finish (IndexWriter *writer, GError **error)
{
  json_builder_end_object (writer->description);
  json_builder_end_object (writer->description);
  g_autoptr (JsonNode) root = json_builder_get_root (writer->description);
  g_autofree char *text = json_to_string (root, TRUE), *path = g_build_filename (writer->path, "index.json", NULL);
  return g_file_set_contents (path, text, -1, error);
}
