/* A run's encoders.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "encoder.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include <weft/npy.h>
#include <weft/operator.h>

static void
encoding_free (gpointer data)
{
  Encoding *encoding = data;
  g_clear_pointer (&encoding->source, weft_source_free);
  g_free (encoding->name);
  g_free (encoding->graph);
  g_free (encoding->reference);
  g_free (encoding->text);
  g_free (encoding);
}

static char *
port_reference (const Encoding *encoding, const char *port)
{
  return g_strdup_printf ("%s.%s.%s", encoding->graph, encoding->source->node, port);
}

static Encoding *
encoding_new (WeftSession *session, const char *name)
{
  Encoding *encoding = g_new0 (Encoding, 1);
  encoding->name = g_strdup (name);
  encoding->reference = g_strdup (weft_session_encoding (session, name));
  encoding->graph = g_strndup (encoding->reference, strcspn (encoding->reference, "."));
  encoding->source = weft_session_source (session, encoding->graph);
  for (char **port = encoding->source ? encoding->source->reads : NULL; port && *port; port++)
    {
      g_autofree char *reference = port_reference (encoding, *port);
      WeftTensor tensor;
      if (!encoding->text && weft_session_describe (session, reference, &tensor) && tensor.type == WEFT_U8 && tensor.samples)
        encoding->text = g_strdup (*port);
    }
  return encoding;
}

GPtrArray *
encodings_of (WeftSession *session, GError **error)
{
  g_autoptr (GPtrArray) encodings = g_ptr_array_new_with_free_func (encoding_free);
  for (const char *const *name = weft_session_encodings (session); *name; name++)
    {
      Encoding *encoding = encoding_new (session, *name);
      if (encoding->source)
        g_ptr_array_add (encodings, encoding);
      else
        encoding_free (encoding);
    }
  if (encodings->len > 0)
    return g_steal_pointer (&encodings);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the run encodes nothing: its pipeline needs `run: {encode: {NAME: GRAPH.COLLECTED}}`");
  return NULL;
}

const Encoding *
encodings_first (const GPtrArray *encodings, gboolean text)
{
  for (guint i = 0; i < encodings->len; i++)
    if ((((const Encoding *) encodings->pdata[i])->text != NULL) == text)
      return encodings->pdata[i];
  return NULL;
}

const char *
encoding_attribute (const Encoding *encoding, const char *name)
{
  for (guint i = 0; encoding->source->attributes[i]; i++)
    if (strcmp (encoding->source->attributes[i], name) == 0)
      return *encoding->source->values[i] ? encoding->source->values[i] : NULL;
  return NULL;
}

/* Attributes of sources that choose among files, or name further ones. */
static const char *const choosing[] = { "captions", "names", "share", "limit", "captions_per_image", NULL };

gboolean
encoding_redirect (const Encoding *encoding, const char *path, GPtrArray *settings)
{
  const char *const *attributes = (const char *const *) encoding->source->attributes;
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_auto (GStrv) parts = g_strsplit (absolute, "'", -1);
  g_autofree char *quoted = g_strjoinv ("''", parts);
  if (!g_strv_contains (attributes, "path"))
    return FALSE;
  g_ptr_array_add (settings, g_strdup_printf ("graphs.%s.nodes.%s.path='%s'", encoding->graph, encoding->source->node, quoted));
  for (guint i = 0; attributes[i]; i++)
    if (g_strv_contains (choosing, attributes[i]) && strcmp (encoding->source->values[i], encoding->source->defaults[i]) != 0)
      g_ptr_array_add (settings, g_strdup_printf ("graphs.%s.nodes.%s.%s=null", encoding->graph, encoding->source->node, attributes[i]));
  return TRUE;
}

void
encoder_free (Encoder *encoder)
{
  if (encoder == NULL)
    return;
  g_clear_pointer (&encoder->session, weft_session_free);
  g_clear_pointer (&encoder->encodings, g_ptr_array_unref);
  g_free (encoder->input);
  g_free (encoder);
}

/* The output of the source that is to be given: the text, or the only one that is read. */
static char *
choose_input (const Encoding *encoding, GError **error)
{
  guint reads = g_strv_length (encoding->source->reads);
  if (reads == 1)
    return port_reference (encoding, encoding->source->reads[0]);
  g_autofree char *all = g_strjoinv ("`, `", encoding->source->reads);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "graph `%s` reads `%s` of its source: a query gives only one of them", encoding->graph,
               all);
  return NULL;
}

Encoder *
encoder_open (const char *run, const char *const *settings, gboolean text, guint threads, GError **error)
{
  g_autoptr (Encoder) encoder = g_new0 (Encoder, 1);
  WeftTensor described;
  encoder->session = weft_session_open (run, settings, "evaluate", threads, error);
  encoder->encodings = encoder->session ? encodings_of (encoder->session, error) : NULL;
  if (!encoder->encodings)
    return NULL;
  encoder->encoding = encodings_first (encoder->encodings, text);
  if (!encoder->encoding)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: `run: encode:` names nothing that %s", run,
                   text ? "reads text" : "reads anything but text");
      return NULL;
    }
  encoder->input = choose_input (encoder->encoding, error);
  if (!encoder->input || !weft_session_replace_source (encoder->session, encoder->encoding->graph, error)
      || !weft_session_want (encoder->session, encoder->encoding->reference, error))
    return NULL;
  weft_session_describe (encoder->session, encoder->encoding->reference, &described);
  encoder->width = described.rank == 2 ? described.shape[1] : 0;
  if (described.rank == 2 && described.type == WEFT_F32)
    return g_steal_pointer (&encoder);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` is not one embedding a row", encoder->encoding->reference);
  return NULL;
}

gint64
encoder_batch (const Encoder *encoder)
{
  WeftTensor described;
  weft_session_describe (encoder->session, encoder->encoding->reference, &described);
  return described.shape[0];
}

/* Feeds @input, computes, and copies @n embeddings. */
static gboolean
encode (Encoder *encoder, const WeftTensor *input, gint64 n, float *embeddings, GError **error)
{
  if (!weft_session_feed (encoder->session, encoder->input, input, error)
      || !weft_session_step (encoder->session, encoder->encoding->graph, NULL, error))
    return FALSE;
  const WeftTensor *value = weft_session_value (encoder->session, encoder->encoding->reference);
  if (!value || value->shape[0] != n || value->shape[1] != encoder->width)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` does not give one embedding for each item", encoder->encoding->reference);
      return FALSE;
    }
  memcpy (embeddings, value->data, weft_tensor_bytes (value));
  for (gint64 i = 0; i < n * encoder->width; i++)
    if (!isfinite (embeddings[i]))
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the embedding is not finite: the model diverged");
        return FALSE;
      }
  return TRUE;
}

gboolean
encoder_texts (Encoder *encoder, const char *const *texts, gint64 n, float *embeddings, GError **error)
{
  WeftTensor bound;
  g_autoptr (GString) bytes = g_string_new (NULL);
  g_autofree gint32 *offsets = g_new0 (gint32, n + 1);
  weft_session_describe (encoder->session, encoder->input, &bound);
  for (gint64 i = 0; i < n; i++)
    {
      if (*texts[i] == '\0' || !g_utf8_validate (texts[i], -1, NULL))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "text %" G_GINT64_FORMAT " is %s", i, *texts[i] ? "not UTF-8" : "empty");
          return FALSE;
        }
      g_string_append (bytes, texts[i]);
      if ((gint64) bytes->len > bound.shape[0])
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "the text is too long: the pipeline has room for %" G_GINT64_FORMAT " bytes",
                       bound.shape[0]);
          return FALSE;
        }
      offsets[i + 1] = (gint32) bytes->len;
    }
  const WeftTensor text = {
    .type = WEFT_U8, .rank = 1, .shape = { (gint64) bytes->len }, .data = bytes->str, .offsets = offsets, .samples = n
  };
  return encode (encoder, &text, n, embeddings, error);
}

gboolean
encoder_features (Encoder *encoder, const WeftTensor *features, float *embedding, GError **error)
{
  WeftTensor bound, item = *features;
  gint32 offsets[2] = { 0, 0 };
  weft_session_describe (encoder->session, encoder->input, &bound);
  /* A leading 1 may say that it is one item. */
  if (item.rank == bound.rank + (bound.samples ? 1 : 0) && item.rank > 0 && item.shape[0] == 1 && bound.samples)
    {
      memmove (item.shape, item.shape + 1, (item.rank - 1) * sizeof (gint64));
      item.rank--;
    }
  else if (!bound.samples && item.rank + 1 == bound.rank)
    {
      memmove (item.shape + 1, item.shape, item.rank * sizeof (gint64));
      item.shape[0] = 1;
      item.rank++;
    }
  if (bound.samples && item.rank > 0)
    {
      offsets[1] = (gint32) item.shape[0];
      item.offsets = offsets;
      item.samples = 1;
    }
  return encode (encoder, &item, 1, embedding, error);
}

static float *
encode_array (const char *run, const char *const *settings, const char *path, guint threads, gint64 *width, GError **error)
{
  WeftTensor features;
  g_autofree float *values = weft_npy_read_f32 (path, &features, error);
  g_autoptr (Encoder) encoder = values ? encoder_open (run, settings, FALSE, threads, error) : NULL;
  g_autofree float *embedding = encoder ? g_new (float, encoder->width) : NULL;
  features.data = values;
  if (!encoder || !encoder_features (encoder, &features, embedding, error))
    {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
  *width = encoder->width;
  return g_steal_pointer (&embedding);
}

/* Lets the run's own source of pictures read a folder that holds just this one. */
static float *
encode_folder (const char *run, const char *const *settings, const char *folder, guint threads, gint64 *width, GError **error)
{
  g_autoptr (WeftSession) session = weft_session_open (run, settings, "evaluate", threads, error);
  g_autoptr (GPtrArray) encodings = session ? encodings_of (session, error) : NULL;
  const Encoding *encoding = encodings ? encodings_first (encodings, FALSE) : NULL;
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  for (; settings && *settings; settings++)
    g_ptr_array_add (all, g_strdup (*settings));
  if (!encodings)
    return NULL;
  if (!encoding || !encoding_redirect (encoding, folder, all))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: the run encodes nothing that it reads from files; give features as .npy", run);
      return NULL;
    }
  g_ptr_array_add (all, NULL);
  g_autoptr (WeftSession) of_folder = weft_session_open (run, (const char *const *) all->pdata, "evaluate", threads, error);
  gboolean exhausted = FALSE;
  if (!of_folder || !weft_session_want (of_folder, encoding->reference, error)
      || !weft_session_step (of_folder, encoding->graph, &exhausted, error))
    return NULL;
  const WeftTensor *value = exhausted ? NULL : weft_session_value (of_folder, encoding->reference);
  if (!value || value->type != WEFT_F32 || value->rank != 2 || value->shape[0] < 1)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "`%s` gave no embedding", encoding->reference);
      return NULL;
    }
  *width = value->shape[1];
  return g_memdup2 (value->data, (gsize) *width * sizeof (float));
}

float *
encode_image (const char *run, const char *const *settings, const char *path, guint threads, gint64 *width, GError **error)
{
  if (g_str_has_suffix (path, ".npy"))
    return encode_array (run, settings, path, threads, width, error);
  g_autofree char *folder = g_dir_make_tmp ("weft-search-XXXXXX", error), *base = g_path_get_basename (path);
  if (!folder)
    return NULL;
  g_autofree char *copy = g_build_filename (folder, base, NULL);
  g_autoptr (GFile) from = g_file_new_for_path (path), to = g_file_new_for_path (copy);
  float *embedding = g_file_copy (from, to, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error)
                         ? encode_folder (run, settings, folder, threads, width, error)
                         : NULL;
  g_unlink (copy);
  g_rmdir (folder);
  return embedding;
}
