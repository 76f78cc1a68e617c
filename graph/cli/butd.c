/* Regions from bottom-up-attention's TSV dumps: a first pass notes where each image stands, a second decodes one after the other.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include <weft/operator.h>

#include "butd.h"
#include "bytes.h"
#include "lines.h"
#include "npy-rows.h"
#include "npy.h"

#define FIELDS 6
#define GEOMETRY 5
#define LONGEST_LINE (256u << 20) /* a hundred times what a hundred regions of 2048 features take */
#define LONGEST_ID 255

typedef struct
{
  char *id;
  guint file, line;
  guint64 offset, length; /* of the line, in bytes */
} Place;

typedef struct
{
  const char *const *paths;
  GPtrArray *files;  /* WeftBytes */
  GPtrArray *places; /* in the order of the files */
  GHashTable *by_id;
  gint64 repeats;
} Dumps;

static void
place_free (gpointer data)
{
  Place *place = data;
  g_free (place->id);
  g_free (place);
}

static void
dumps_clear (Dumps *dumps)
{
  g_clear_pointer (&dumps->by_id, g_hash_table_unref);
  g_clear_pointer (&dumps->places, g_ptr_array_unref);
  g_clear_pointer (&dumps->files, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Dumps, dumps_clear)

static gboolean refuse (GError **error, const Dumps *dumps, const Place *place, const char *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
refuse (GError **error, const Dumps *dumps, const Place *place, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *raw = g_strdup_vprintf (format, arguments), *what = g_utf8_make_valid (raw, -1);
  va_end (arguments);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: %s", dumps->paths[place->file], place->line, what);
  return FALSE;
}

/* Takes note of a line that is over; @id holds its first bytes. */
static gboolean
note_line (Dumps *dumps, Place *line, const GString *id, gboolean id_ended, GError **error)
{
  if (line->length == 0 || (line->length == 1 && id->str[0] == '\r'))
    return TRUE;
  if (!id_ended || id->len == 0 || !g_utf8_validate (id->str, (gssize) id->len, NULL))
    return refuse (error, dumps, line, "expected an image id of up to %d bytes and a tab: this is no dump of bottom-up-attention",
                   LONGEST_ID);
  if (line->length > LONGEST_LINE)
    return refuse (error, dumps, line, "the line has %" G_GUINT64_FORMAT " bytes, at most %u are read", line->length, LONGEST_LINE);
  if (g_hash_table_contains (dumps->by_id, id->str))
    {
      dumps->repeats++;
      return TRUE;
    }
  Place *place = g_memdup2 (line, sizeof *line);
  place->id = g_strdup (id->str);
  g_ptr_array_add (dumps->places, place);
  g_hash_table_insert (dumps->by_id, place->id, place);
  return TRUE;
}

static gboolean
scan_file (Dumps *dumps, guint file, GError **error)
{
  WeftBytes *bytes = weft_bytes_open (dumps->paths[file], error);
  if (bytes == NULL)
    return FALSE;
  g_ptr_array_add (dumps->files, bytes);
  gsize size = 1 << 20;
  g_autofree char *buffer = g_malloc (size);
  g_autoptr (GString) id = g_string_new (NULL);
  gboolean id_ended = FALSE;
  Place line = { .file = file, .line = 1 };
  for (guint64 at = 0, total = weft_bytes_length (bytes); at < total; at += size)
    {
      size = MIN (size, total - at);
      if (!weft_bytes_read (bytes, at, buffer, size, error))
        return FALSE;
      for (gsize i = 0; i < size;)
        {
          if (!id_ended && buffer[i] == '\t')
            id_ended = TRUE;
          if (buffer[i] == '\n')
            {
              if (!note_line (dumps, &line, id, id_ended, error))
                return FALSE;
              g_string_truncate (id, 0);
              id_ended = FALSE;
              line = (Place){ .file = file, .line = line.line + 1, .offset = at + ++i };
              continue;
            }
          /* What follows the id is of no interest yet. */
          if (id_ended || id->len > LONGEST_ID)
            {
              const char *end = memchr (buffer + i, '\n', size - i);
              gsize skipped = end ? (gsize) (end - (buffer + i)) : size - i;
              line.length += skipped;
              i += skipped;
              continue;
            }
          g_string_append_c (id, buffer[i++]);
          line.length++;
        }
    }
  return note_line (dumps, &line, id, id_ended, error);
}

/* Decodes in place. Returns: the number of bytes, or -1 with the first wrong character at @wrong. */
static gssize
decode_base64 (char *text, gsize length, gsize *wrong)
{
  gsize padding = 0, out = 0;
  guint32 bits = 0;
  while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
    padding++;
  *wrong = length;
  if (length % 4 != 0)
    return -1;
  for (gsize i = 0; i < length - padding; i++)
    {
      guchar c = (guchar) text[i];
      guint value = c >= 'A' && c <= 'Z'   ? c - 'A' + 0u
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26u
                    : c >= '0' && c <= '9' ? c - '0' + 52u
                    : c == '+'             ? 62u
                    : c == '/'             ? 63u
                                           : 64u;
      if (value == 64)
        {
          *wrong = i;
          return -1;
        }
      bits = bits << 6 | value;
      /* After n characters 6n bits are known; each third of 8 of them is a byte. */
      if (i % 4 != 0)
        text[out++] = (char) (bits >> (6 - 2 * (i % 4)) & 0xff);
    }
  return (gssize) out;
}

static gboolean
parse_size (const char *text, double *size)
{
  char *end;
  *size = g_ascii_strtod (text, &end);
  return *text != '\0' && *end == '\0' && isfinite (*size) && *size > 0;
}

static gboolean
decode_field (const Dumps *dumps, const Place *place, const char *name, char *text, gsize *length, GError **error)
{
  gsize wrong, characters = strlen (text);
  gssize bytes = decode_base64 (text, characters, &wrong);
  if (bytes < 0 && wrong == characters)
    return refuse (error, dumps, place, "%s: %" G_GSIZE_FORMAT " characters of base64, expected a multiple of 4: the line is cut off", name,
                   characters);
  if (bytes < 0)
    return refuse (error, dumps, place, "%s: character %" G_GSIZE_FORMAT " is not base64", name, wrong + 1);
  *length = (gsize) bytes;
  return TRUE;
}

/* Appends the regions of one image to @rows. */
static gboolean
write_image (const Dumps *dumps, const Place *place, gboolean geometry, WeftNpyRows *rows, ButdResult *result, gint32 *count,
             GError **error)
{
  g_autofree char *line = g_try_malloc (place->length + 1);
  if (line == NULL)
    return refuse (error, dumps, place, "no memory for its %" G_GUINT64_FORMAT " bytes", place->length);
  if (!weft_bytes_read (dumps->files->pdata[place->file], place->offset, line, place->length, error))
    return FALSE;
  line[place->length] = '\0';
  if (strlen (line) != place->length)
    return refuse (error, dumps, place, "a zero byte in the line");
  if (line[place->length - 1] == '\r')
    line[place->length - 1] = '\0';
  char *fields[FIELDS] = { NULL }, *rest = line;
  guint n = 0;
  for (; n < FIELDS && rest != NULL; n++)
    fields[n] = strsep (&rest, "\t");
  if (n < FIELDS || rest != NULL)
    return refuse (error, dumps, place, "%s than 6 fields, expected image_id, image_w, image_h, num_boxes, boxes, features",
                   rest ? "more" : "fewer");
  double w, h;
  guint64 boxes;
  if (!parse_size (fields[1], &w) || !parse_size (fields[2], &h))
    return refuse (error, dumps, place, "image_w, image_h: \"%.20s\", \"%.20s\" are not the sizes of a picture", fields[1], fields[2]);
  if (!g_ascii_string_to_unsigned (fields[3], 10, 1, 100000, &boxes, NULL))
    return refuse (error, dumps, place, "num_boxes: \"%.20s\" is not a number from 1 to 100000", fields[3]);
  gsize box_bytes, bytes;
  if (!decode_field (dumps, place, "boxes", fields[4], &box_bytes, error)
      || !decode_field (dumps, place, "features", fields[5], &bytes, error))
    return FALSE;
  if (box_bytes != boxes * 16)
    return refuse (error, dumps, place, "boxes: %" G_GSIZE_FORMAT " bytes, expected %" G_GUINT64_FORMAT " × 4 numbers of 4 bytes",
                   box_bytes, boxes);
  if (bytes == 0 || bytes % (boxes * 4) != 0)
    return refuse (error, dumps, place, "features: %" G_GSIZE_FORMAT " bytes are not %" G_GUINT64_FORMAT " rows of numbers of 4 bytes",
                   bytes, boxes);
  gint64 features = (gint64) (bytes / (boxes * 4)), width = features + (geometry ? GEOMETRY : 0);
  if (result->images > 0 && width != result->width)
    return refuse (error, dumps, place, "features: %" G_GINT64_FORMAT " a region, the images before have %" G_GINT64_FORMAT, features,
                   result->width - (geometry ? GEOMETRY : 0));
  for (guint64 b = 0; b < boxes; b++)
    {
      if (!weft_npy_rows_append (rows, fields[5] + b * (gsize) features * 4, (gsize) features * 4, error))
        return FALSE;
      float box[4];
      memcpy (box, fields[4] + b * sizeof box, sizeof box);
      const float shape[GEOMETRY] = { (float) (box[0] / w), (float) (box[1] / h), (float) (box[2] / w), (float) (box[3] / h),
                                      (float) ((box[2] - box[0]) / w * ((box[3] - box[1]) / h)) };
      if (geometry && !weft_npy_rows_append (rows, shape, sizeof shape, error))
        return FALSE;
    }
  *count = (gint32) boxes;
  result->even = result->images == 0 || (result->even && (gint64) boxes * result->images == result->regions);
  result->images++;
  result->regions += (gint64) boxes;
  result->width = width;
  return TRUE;
}

/* The places of the images that @ids lists. */
static GPtrArray *
choose (const Dumps *dumps, const char *ids, GError **error)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();
  g_autoptr (WeftLines) lines = weft_lines_read (ids, FALSE, error);
  for (guint i = 0; lines != NULL && i < weft_lines_count (lines); i++)
    {
      Place *place = g_hash_table_lookup (dumps->by_id, weft_lines_get (lines, i, NULL));
      if (place == NULL)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: image \"%s\" is in none of the dumps", ids, i + 1,
                       weft_lines_get (lines, i, NULL));
          return NULL;
        }
      g_ptr_array_add (chosen, place);
    }
  return lines != NULL ? g_steal_pointer (&chosen) : NULL;
}

static gboolean
write_beside (const char *prefix, const GPtrArray *chosen, const GArray *counts, gboolean even, GError **error)
{
  g_autofree char *counts_path = g_strconcat (prefix, "_counts.npy", NULL), *ids_path = g_strconcat (prefix, "_ids.txt", NULL);
  g_autoptr (GString) ids = g_string_new (NULL);
  for (guint i = 0; i < chosen->len; i++)
    g_string_append_printf (ids, "%s\n", ((const Place *) chosen->pdata[i])->id);
  if (!g_file_set_contents (ids_path, ids->str, (gssize) ids->len, error))
    return FALSE;
  if (even)
    {
      /* Those of an earlier conversion would be taken for those of this one. */
      g_unlink (counts_path);
      return TRUE;
    }
  WeftTensor tensor = { .type = WEFT_I32, .rank = 1, .shape = { counts->len }, .data = counts->data };
  return weft_npy_write (counts_path, &tensor, error);
}

gboolean
butd_convert (const char *const *paths, const char *ids, const char *prefix, gboolean geometry, ButdResult *result, GError **error)
{
  g_auto (Dumps) dumps = { .paths = paths,
                           .files = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_bytes_close),
                           .places = g_ptr_array_new_with_free_func (place_free),
                           .by_id = g_hash_table_new (g_str_hash, g_str_equal) };
  for (guint i = 0; paths[i] != NULL; i++)
    if (!scan_file (&dumps, i, error))
      return FALSE;
  g_autoptr (GPtrArray) chosen = ids ? choose (&dumps, ids, error) : g_ptr_array_ref (dumps.places);
  if (chosen == NULL)
    return FALSE;
  *result = (ButdResult){ .repeats = dumps.repeats, .even = TRUE };
  if (chosen->len == 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: no images in it", ids ? ids : paths[0]);
      return FALSE;
    }
  g_autofree char *features = g_strconcat (prefix, "_ims.npy", NULL);
  g_autoptr (WeftNpyRows) rows = weft_npy_rows_open (features, error);
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (gint32));
  for (guint i = 0; rows != NULL && i < chosen->len; i++)
    {
      gint32 count;
      if (!write_image (&dumps, chosen->pdata[i], geometry, rows, result, &count, error))
        return FALSE;
      g_array_append_val (counts, count);
    }
  WeftTensor even = { .type = WEFT_F32, .rank = 3, .shape = { result->images, result->regions / MAX (result->images, 1), result->width } };
  WeftTensor packed = { .type = WEFT_F32, .rank = 2, .shape = { result->regions, result->width } };
  return rows != NULL && write_beside (prefix, chosen, counts, result->even, error)
         && weft_npy_rows_finish (rows, result->even ? &even : &packed, error);
}
