/* The files that examples of shipped operators read, in a folder of their own.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"

static gboolean
write_array (const char *name, guint rank, const gint64 *shape, GError **error)
{
  g_autofree char *path = g_build_filename ("data", name, NULL);
  float data[64];
  WeftTensor tensor = { .type = WEFT_F32, .rank = rank, .data = data };

  memcpy (tensor.shape, shape, rank * sizeof (gint64));
  for (guint i = 0; i < G_N_ELEMENTS (data); i++)
    data[i] = (float) (i % 7) - 3;
  g_assert (weft_tensor_elements (&tensor) <= (gint64) G_N_ELEMENTS (data));
  return weft_npy_write (path, &tensor, error);
}

static gboolean
write_text (const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename ("data", name, NULL);

  return g_file_set_contents (path, text, -1, error);
}

/* Two images with five captions each, and what is right for which. */
static gboolean
write_annotations (GError **error)
{
  g_autoptr (GString) lists = g_string_new ("{");
  for (int caption = 10; caption < 20; caption++)
    g_string_append_printf (lists, "\"%d\": [[%d, 3.5]]%s", caption, caption < 15 ? 1 : 2, caption < 19 ? ", " : "}");
  g_autofree char *between = g_strdup_printf ("{\"i2t\": {\"1\": [[10, 5]], \"2\": [[15, 5]]}, \"t2i\": %s}", lists->str);
  return write_text ("testall_ids.txt", "1\n1\n1\n1\n1\n2\n2\n2\n2\n2\n", error)
         && write_text ("testall_capids.txt", "10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n", error)
         && write_text ("cxc_it.json", between, error) && write_text ("cxc_t2t.json", lists->str, error)
         && write_text ("cxc_i2i.json", "{\"1\": [[2, 4]], \"2\": []}", error)
         && write_text ("eccv_image_to_caption.json", "{\"1\": [10, 11], \"2\": [15]}", error)
         && write_text ("eccv_caption_to_image.json", "{\"10\": [1], \"15\": [1, 2]}", error);
}

/* Two photographs, three pixels wide and two high, with captions. */
static gboolean
write_photographs (GError **error)
{
  static const char picture[] = "\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x03\x00\x00\x00\x02\x08\x00"
                                "\x00\x00\x00\xb8\x1f\x39\xc6\x00\x00\x00\x10\x49\x44\x41\x54\x78\xda\x63\xe0\x32\x8a\x62\x68\x5a\x75\x09"
                                "\x00\x06\xe8\x02\x95\x6d\xf5\x92\xa6\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";
  gssize length = sizeof picture - 1;
  return g_mkdir ("data/photographs", 0700) == 0 && g_file_set_contents ("data/photographs/a.png", picture, length, error)
         && g_file_set_contents ("data/photographs/b.png", picture, length, error)
         && write_text ("photographs/captions.tsv", "a.png\ta dog\na.png\ta dog runs\nb.png\ta cat\nb.png\tthe cat\n", error);
}

static gboolean
write_data (GError **error)
{
  return write_array ("train_ims.npy", 3, (gint64[]){ 2, 3, 4 }, error) && write_array ("train_clip.npy", 2, (gint64[]){ 2, 4 }, error)
         && write_text ("train_caps.txt", "a dog\na dog runs\na cat\nthe cat\ntwo cats\na bird\nthe bird\nbirds fly\na tree\nthe tree\n",
                        error)
         && write_text ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n##a\n##b\n##c\n", error)
         && write_text ("merges.txt", "#version: 0.2\na b\nab c</w>\nt h\nth e</w>\n", error)
         && write_array ("similarity.npy", 2, (gint64[]){ 2, 10 }, error) && write_annotations (error) && write_photographs (error);
}

char *
weft_trial_enter_folder (GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("weft-trial-XXXXXX", error);

  if (!folder)
    return NULL;
  if (g_chdir (folder) != 0 || g_mkdir ("data", 0700) != 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "cannot use %s", folder);
      return NULL;
    }
  return write_data (error) ? g_steal_pointer (&folder) : NULL;
}

static void
empty (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK) && g_file_test (path, G_FILE_TEST_IS_DIR))
        empty (path);
      g_remove (path);
    }
}

void
weft_trial_leave_folder (char *folder)
{
  if (g_chdir ("/") == 0)
    {
      empty (folder);
      g_rmdir (folder);
    }
  g_free (folder);
}
