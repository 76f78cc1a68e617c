/* Photographs and captions of a data set.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "album.h"

#include <math.h>
#include <string.h>
#include <weft/operator.h>

#define DEEPEST 16

static const char *const endings[] = { ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff" };

static void
photograph_free (gpointer data)
{
  Photograph *photograph = data;
  g_free (photograph->name);
  g_free (photograph->path);
  g_ptr_array_unref (photograph->captions);
  g_free (photograph);
}

void
album_free (Album *album)
{
  if (album == NULL)
    return;
  g_ptr_array_unref (album->captions);
  g_ptr_array_unref (album->photographs);
  g_array_unref (album->photograph_of);
  g_free (album);
}

static gboolean
leads_out (const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", -1);
  return g_path_is_absolute (name) || *name == '\0' || g_strv_contains ((const char *const *) parts, "..");
}

Photograph *
album_draft_find (AlbumDraft *draft, const char *name, GError **error)
{
  Photograph *photograph = g_hash_table_lookup (draft->by_name, name);
  if (photograph != NULL)
    return photograph;
  if (leads_out (name))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: \"%s\" is no name of a photograph in the folder", draft->layout->captions,
                   name);
      return NULL;
    }
  photograph = g_new0 (Photograph, 1);
  photograph->name = g_strdup (name);
  photograph->path = g_build_filename (draft->layout->folder, name, NULL);
  photograph->captions = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (draft->photographs, photograph);
  g_hash_table_insert (draft->by_name, g_strdup (name), photograph);
  return photograph;
}

gboolean
album_draft_caption (AlbumDraft *draft, Photograph *photograph, const char *caption, GError **error)
{
  char *text = g_strstrip (g_strdelimit (g_strdup (caption), "\r\n\t", ' '));
  gint64 most = draft->layout->captions_per_image;
  gsize length = strlen (text);
  if (length > (gsize) draft->layout->caption_bytes)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: a caption of %s has %" G_GSIZE_FORMAT " bytes, the pipeline declares caption_bytes: %" G_GINT64_FORMAT,
                   draft->layout->captions, photograph->path, length, draft->layout->caption_bytes);
      g_free (text);
      return FALSE;
    }
  if (length > 0 && (most == 0 || photograph->captions->len < most))
    g_ptr_array_add (photograph->captions, text);
  else
    g_free (text);
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
is_picture (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i]))
      return TRUE;
  return FALSE;
}

static gboolean
find_pictures (const char *folder, const char *below, guint depth, GPtrArray *names, GError **error)
{
  g_autofree char *path = *below ? g_build_filename (folder, below, NULL) : g_strdup (folder);
  g_autoptr (GDir) dir = g_dir_open (path, 0, error);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *relative = *below ? g_build_filename (below, name, NULL) : g_strdup (name);
      g_autofree char *full = g_build_filename (path, name, NULL);
      if (g_file_test (full, G_FILE_TEST_IS_DIR))
        {
          if (!g_file_test (full, G_FILE_TEST_IS_SYMLINK) && depth < DEEPEST && !find_pictures (folder, relative, depth + 1, names, error))
            return FALSE;
        }
      else if (is_picture (name))
        g_ptr_array_add (names, g_steal_pointer (&relative));
    }
  return dir != NULL;
}

static gboolean
read_folder (AlbumDraft *draft, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (!find_pictures (draft->layout->folder, "", 0, names, error))
    return FALSE;
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    if (album_draft_find (draft, names->pdata[i], error) == NULL)
      return FALSE;
  return TRUE;
}

/* `image<TAB>caption`, as Flickr8K's and Flickr30K's token files have it too: `image#0<TAB>caption`. */
static gboolean
read_tabs (AlbumDraft *draft, const WeftLines *lines, GError **error)
{
  for (guint i = 0; i < weft_lines_count (lines); i++)
    {
      const char *line = weft_lines_get (lines, i, NULL), *tab = strchr (line, '\t');
      if (*line == '\0')
        continue;
      if (tab == NULL)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s:%u: expected image<TAB>caption", draft->layout->captions, i + 1);
          return FALSE;
        }
      g_autofree char *name = g_strndup (line, (gsize) (tab - line));
      char *number = strrchr (name, '#');
      if (number != NULL && number[1] != '\0' && strspn (number + 1, "0123456789") == strlen (number + 1))
        *number = '\0';
      Photograph *photograph = album_draft_find (draft, name, error);
      if (photograph == NULL || !album_draft_caption (draft, photograph, tab + 1, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_scan (AlbumDraft *draft, const WeftLines *lines, GError **error)
{
  const AlbumLayout *layout = draft->layout;
  if (layout->names == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: the first line has no tab, so these are captions alone; set names to a file with the photographs' names",
                   layout->captions);
      return FALSE;
    }
  g_autoptr (WeftLines) names = weft_lines_read (layout->names, FALSE, error);
  if (names == NULL)
    return FALSE;
  guint n_captions = weft_lines_count (lines), n_names = weft_lines_count (names), each = n_names > 0 ? n_captions / n_names : 0;
  if (each == 0 || n_captions % n_names != 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: %u names for the %u captions of %s; expected one a caption or one a photograph", layout->names, n_names, n_captions,
                   layout->captions);
      return FALSE;
    }
  for (guint i = 0; i < n_captions; i++)
    {
      Photograph *photograph = album_draft_find (draft, weft_lines_get (names, i / each, NULL), error);
      if (photograph == NULL || !album_draft_caption (draft, photograph, weft_lines_get (lines, i, NULL), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_captions (AlbumDraft *draft, gboolean *known, GError **error)
{
  const AlbumLayout *layout = draft->layout;
  *known = FALSE;
  if (layout->captions == NULL)
    return read_folder (draft, error);
  if (g_str_has_suffix (layout->captions, ".json"))
    return album_read_json (draft, known, error);
  g_autoptr (WeftLines) lines = weft_lines_read (layout->captions, TRUE, error);
  if (lines == NULL)
    return FALSE;
  gboolean tabs = weft_lines_count (lines) > 0 && strchr (weft_lines_get (lines, 0, NULL), '\t') != NULL;
  return tabs ? read_tabs (draft, lines, error) : read_scan (draft, lines, error);
}

/* Every n-th photograph is for dev, the one after it for test. */
static gboolean
in_split (const AlbumLayout *layout, guint index)
{
  guint every = layout->share > 0 ? (guint) MAX (lround (1 / layout->share), 2) : 0;
  guint place = every > 0 ? index % every : 2;
  if (every == 0)
    return TRUE;
  return place == 0   ? strcmp (layout->split, "dev") == 0
         : place == 1 ? strcmp (layout->split, "test") == 0
                      : strcmp (layout->split, "train") == 0;
}

static void
list_captions (Album *album)
{
  g_ptr_array_set_size (album->captions, 0);
  g_array_set_size (album->photograph_of, 0);
  for (guint i = 0; i < album->photographs->len; i++)
    {
      const Photograph *photograph = album->photographs->pdata[i];
      for (guint k = 0; k < photograph->captions->len; k++)
        {
          g_ptr_array_add (album->captions, photograph->captions->pdata[k]);
          g_array_append_val (album->photograph_of, i);
        }
    }
}

void
album_leave_out (Album *album, const gboolean *damaged)
{
  GPtrArray *kept = g_ptr_array_new_with_free_func (photograph_free);
  for (guint i = 0; i < album->photographs->len; i++)
    if (!damaged[i])
      g_ptr_array_add (kept, g_steal_pointer (&album->photographs->pdata[i]));
  g_ptr_array_set_free_func (album->photographs, NULL);
  for (guint i = 0; i < album->photographs->len; i++)
    if (album->photographs->pdata[i] != NULL)
      photograph_free (album->photographs->pdata[i]);
  g_ptr_array_unref (album->photographs);
  album->photographs = kept;
  list_captions (album);
}

/* Which photographs are left out: those of other splits, those without caption, those beyond the limit. */
static gboolean *
choose (const Album *album, const AlbumLayout *layout, gboolean known)
{
  gboolean *out = g_new0 (gboolean, album->photographs->len + 1);
  gint64 kept = 0;
  for (guint i = 0; i < album->photographs->len; i++)
    {
      const Photograph *photograph = album->photographs->pdata[i];
      gboolean other = layout->captions != NULL && (photograph->captions->len == 0 || (!known && !in_split (layout, i)));
      out[i] = other || (layout->limit > 0 && kept >= layout->limit);
      kept += !out[i];
    }
  return out;
}

Album *
album_open (const AlbumLayout *layout, GError **error)
{
  AlbumDraft draft = { .layout = layout };
  g_autoptr (Album) album = g_new0 (Album, 1);
  g_autoptr (GHashTable) by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean known;
  album->photographs = draft.photographs = g_ptr_array_new_with_free_func (photograph_free);
  album->captions = g_ptr_array_new ();
  album->photograph_of = g_array_new (FALSE, FALSE, sizeof (guint32));
  draft.by_name = by_name;
  if (!read_captions (&draft, &known, error))
    return NULL;
  g_autofree gboolean *out = choose (album, layout, known);
  album_leave_out (album, out);
  if (album->photographs->len > 0)
    return g_steal_pointer (&album);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: has no photographs of the split %s%s",
               layout->captions != NULL ? layout->captions : layout->folder, layout->split,
               known ? "" : "; share says how many of them are for dev and test");
  return NULL;
}
