/* weft index: embeddings of a data set, ready to be searched.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "encoder.h"
#include "index-writer.h"

static char *split, *captions, *names, *pictures, *scan, **sides;

const GOptionEntry index_options[] = {
  { "split", 0, 0, G_OPTION_ARG_STRING, &split, "Part of the data; short for --set split=NAME", "NAME" },
  { "side", 0, 0, G_OPTION_ARG_STRING_ARRAY, &sides,
    "Index what `run: encode:` names so (repeatable; default: all, or of FOLDER what is no text)", "NAME" },
  { "captions", 0, 0, G_OPTION_ARG_FILENAME, &captions, "Index these texts, one a line, instead of the data's", "FILE" },
  { "names", 0, 0, G_OPTION_ARG_FILENAME, &names, "What the images are called, one a line", "FILE" },
  { "pictures", 0, 0, G_OPTION_ARG_FILENAME, &pictures,
    "Where the images' pictures lie under their names (default: where they are read); they become part of the index", "FOLDER" },
  { "scan", 0, 0, G_OPTION_ARG_STRING, &scan, "What is scanned: float16 (default), int8 or float32; results are exact with all of them",
    "TYPE" },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

typedef struct
{
  const WeftCommandCall *call;
  const char *run, *folder; /* folder: (nullable) */
  GPtrArray *settings;
  IndexWriter *writer;
} Indexing;

static gboolean
is_wanted (const Indexing *self, const Encoding *encoding)
{
  if (sides)
    return g_strv_contains ((const char *const *) sides, encoding->name);
  return !encoding->text || captions || !self->folder;
}

/* Items of a step, as text. */
static void
append_texts (IndexWriter *writer, const WeftTensor *text)
{
  for (gint64 i = 0; i < text->samples; i++)
    index_writer_append_item (writer, (const char *) text->data + text->offsets[i], (gsize) (text->offsets[i + 1] - text->offsets[i]));
}

/* The source's output that says what items are called: the text that is read, or an output `name`. */
static char *
item_reference (const Encoding *encoding)
{
  const char *port = encoding->text;
  if (!port && !names && g_strv_contains ((const char *const *) encoding->source->outputs, "name"))
    port = "name";
  return port ? g_strdup_printf ("%s.%s.%s", encoding->graph, encoding->source->node, port) : NULL;
}

static gboolean
append_names (Indexing *self, GError **error)
{
  g_autoptr (WeftLines) lines = weft_lines_read (names, FALSE, error);
  for (guint i = 0; lines && i < weft_lines_count (lines); i++)
    {
      gsize length;
      const char *line = weft_lines_get (lines, i, &length);
      index_writer_append_item (self->writer, line, length);
    }
  return lines != NULL;
}

/* Encodes what the run's own source reads. */
static gboolean
index_source (Indexing *self, WeftSession *session, const Encoding *encoding, GError **error)
{
  g_autofree char *items = item_reference (encoding);
  if (!weft_session_want (session, encoding->reference, error) || (items && !weft_session_want (session, items, error)))
    return FALSE;
  for (;;)
    {
      gboolean exhausted;
      if (!weft_session_step (session, encoding->graph, &exhausted, error))
        return FALSE;
      if (exhausted)
        return encoding->text || !names || append_names (self, error);
      const WeftTensor *rows = weft_session_value (session, encoding->reference);
      const WeftTensor *text = items ? weft_session_value (session, items) : NULL;
      if (!rows || rows->type != WEFT_F32 || rows->rank != 2 || rows->offsets)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` is not one embedding a row", encoding->reference);
          return FALSE;
        }
      if (!index_writer_append (self->writer, rows->data, rows->shape[0], rows->shape[1], error))
        return FALSE;
      if (text)
        append_texts (self->writer, text);
      if (!self->call->quiet && isatty (STDERR_FILENO))
        fprintf (stderr, "\r%s: %" G_GINT64_FORMAT, encoding->name, index_writer_rows (self->writer));
    }
}

/* Encodes the lines of --captions. */
static gboolean
index_captions (Indexing *self, GError **error)
{
  g_autoptr (WeftLines) lines = weft_lines_read (captions, FALSE, error);
  g_autoptr (Encoder) encoder =
      lines ? encoder_open (self->run, (const char *const *) self->settings->pdata, TRUE, self->call->threads, error) : NULL;
  gint64 batch = encoder ? encoder_batch (encoder) : 0;
  g_autofree float *rows = encoder ? g_new (float, batch * encoder->width) : NULL;
  for (guint first = 0; encoder && first < weft_lines_count (lines); first += (guint) batch)
    {
      guint n = (guint) MIN (batch, (gint64) weft_lines_count (lines) - first);
      g_autofree const char **texts = g_new (const char *, n);
      for (guint i = 0; i < n; i++)
        texts[i] = weft_lines_get (lines, first + i, NULL);
      if (!encoder_texts (encoder, texts, n, rows, error) || !index_writer_append (self->writer, rows, n, encoder->width, error))
        {
          g_prefix_error (error, "%s: from line %u on: ", captions, first + 1);
          return FALSE;
        }
      for (guint i = 0; i < n; i++)
        index_writer_append_item (self->writer, texts[i], strlen (texts[i]));
    }
  return encoder != NULL;
}

/* Puts the pictures of the items that were just indexed into the index: from --pictures, or from where the source has read them. */
static gboolean
add_pictures (Indexing *self, const Encoding *encoding, GError **error)
{
  g_autofree char *name = g_strconcat (encoding->name, ".txt", NULL), *path = g_build_filename (self->call->output, name, NULL);
  const char *folder = pictures ? pictures : self->folder ? self->folder : encoding_attribute (encoding, "path");
  if (!folder || !g_file_test (folder, G_FILE_TEST_IS_DIR) || !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autoptr (WeftLines) lines = weft_lines_read (path, TRUE, error);
  for (guint i = 0; lines && i < weft_lines_count (lines); i++)
    {
      g_autofree char *picture = g_build_filename (folder, weft_lines_get (lines, i, NULL), NULL);
      if (!g_file_test (picture, G_FILE_TEST_IS_REGULAR) && !pictures)
        continue;
      if (!index_writer_add_picture (self->writer, i, picture, error))
        return FALSE;
    }
  return lines != NULL;
}

static gboolean
index_side_of (Indexing *self, WeftSession *session, const Encoding *encoding, GError **error)
{
  gboolean ok = index_writer_begin_side (self->writer, encoding->name, encoding->text != NULL, error)
                && (encoding->text && captions ? index_captions (self, error) : index_source (self, session, encoding, error))
                && index_writer_end_side (self->writer, error);
  if (ok)
    {
      if (!self->call->quiet && isatty (STDERR_FILENO))
        fprintf (stderr, "\r");
      printf ("%s: %" G_GINT64_FORMAT " items\n", encoding->name, index_writer_rows (self->writer));
    }
  return ok && (encoding->text || add_pictures (self, encoding, error));
}

/* Settings that let the sources of wanted encodings read the folder. */
static gboolean
redirect (Indexing *self, const GPtrArray *encodings, GError **error)
{
  guint redirected = 0;
  g_ptr_array_set_size (self->settings, (int) self->settings->len - 1); /* the NULL at the end */
  for (guint i = 0; i < encodings->len; i++)
    {
      const Encoding *encoding = encodings->pdata[i];
      redirected += is_wanted (self, encoding) && encoding_redirect (encoding, self->folder, self->settings);
    }
  g_ptr_array_add (self->settings, NULL);
  if (redirected == 0)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: the run encodes nothing that it reads from files", self->run);
  return redirected > 0;
}

static gboolean
index_all (Indexing *self, Scan chosen, GError **error)
{
  const char *const *settings = (const char *const *) self->settings->pdata;
  g_autoptr (WeftSession) session = weft_session_open (self->run, settings, "evaluate", self->call->threads, error);
  g_autoptr (GPtrArray) encodings = session ? encodings_of (session, error) : NULL;
  guint done = 0;
  if (!encodings)
    return FALSE;
  self->writer = index_writer_open (self->call->output, self->run, self->call->settings, chosen, error);
  if (!self->writer)
    return FALSE;
  if (self->folder)
    {
      if (!redirect (self, encodings, error))
        return FALSE;
      g_clear_pointer (&session, weft_session_free);
      settings = (const char *const *) self->settings->pdata;
      session = weft_session_open (self->run, settings, "evaluate", self->call->threads, error);
    }
  for (guint i = 0; session && i < encodings->len; i++)
    if (is_wanted (self, encodings->pdata[i]))
      {
        if (!index_side_of (self, session, encodings->pdata[i], error))
          return FALSE;
        done++;
      }
  if (session && done == 0)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: `run: encode:` names nothing of what --side asks for", self->run);
  return session && done > 0 && index_writer_finish (self->writer, error);
}

int
index_command (const WeftCommandCall *call)
{
  g_autoptr (GError) error = NULL;
  guint chosen = SCAN_FLOAT16;
  if (call->n < 1 || call->n > 2)
    return command_misused ("index", "expected a run, and perhaps a folder of pictures or features");
  if (!call->output)
    return command_misused ("index", "say where to write: --output INDEX");
  for (chosen = 0; scan && scan_names[chosen] && strcmp (scan_names[chosen], scan) != 0;)
    chosen++;
  if (!scan)
    chosen = SCAN_FLOAT16;
  if (!scan_names[chosen])
    return command_misused ("index", "--scan is float16, int8 or float32");
  Indexing self = { .call = call,
                    .run = call->arguments[0],
                    .folder = call->n > 1 ? call->arguments[1] : NULL,
                    .settings = g_ptr_array_new_with_free_func (g_free) };
  if (split)
    g_ptr_array_add (self.settings, g_strdup_printf ("split=%s", split));
  for (const char *const *setting = call->settings; setting && *setting; setting++)
    g_ptr_array_add (self.settings, g_strdup (*setting));
  g_ptr_array_add (self.settings, NULL);
  gboolean ok = index_all (&self, (Scan) chosen, &error);
  g_clear_pointer (&self.writer, index_writer_free);
  g_ptr_array_unref (self.settings);
  return ok ? 0 : command_failed ("index", error);
}
