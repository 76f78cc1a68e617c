/* Photographs of a folder and their captions, from the files in which data sets give them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AlbumLayout:
 * @folder: of the photographs
 * @captions: (nullable): file of captions; %NULL: all photographs of the folder and the folders below, by name, without captions
 * @names: (nullable): for captions one a line: the photographs' names, one a line for each caption or for each photograph
 * @split: train, dev, test, …
 * @share: of files of captions that know no splits: the share of photographs for dev and for test; 0: all photographs are in every split
 * @limit: greatest number of photographs; 0: all
 * @captions_per_image: greatest number of captions of a photograph; 0: all
 * @caption_bytes: greatest length of a caption
 */
typedef struct
{
  const char *folder, *captions, *names, *split;
  double share;
  gint64 limit, captions_per_image, caption_bytes;
} AlbumLayout;

/**
 * Photograph:
 * @name: relative to the folder
 * @path: where it lies
 * @captions: (element-type utf8)
 */
typedef struct
{
  char *name, *path;
  GPtrArray *captions;
} Photograph;

/**
 * Album:
 * @photographs: (element-type Photograph): in the order of the file
 * @captions: (element-type utf8): all captions, those of a photograph one after the other
 * @photograph_of: (element-type guint32): whose caption it is
 */
typedef struct
{
  GPtrArray *photographs, *captions;
  GArray *photograph_of;
} Album;

/**
 * album_open:
 *
 * Files of captions are told apart by what they hold: Karpathy's JSON (`images` with `sentences`, which knows splits), COCO's (`images` and
 * `annotations`), lines with a tab (`image<TAB>caption`, a `#0` after the image is left out), or SCAN's captions one a line beside a file of
 * names. Karpathy's val is dev, and restval belongs to train.
 */
Album *album_open (const AlbumLayout *layout, GError **error);
void album_free (Album *album);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Album, album_free)

/* Leaves out photographs for which @damaged is set, and orders captions anew. */
void album_leave_out (Album *album, const gboolean *damaged);

/* An album that is being read, for the readers of single forms. */
typedef struct
{
  const AlbumLayout *layout;
  GPtrArray *photographs;
  GHashTable *by_name;
} AlbumDraft;

/**
 * album_draft_find:
 * @name: of a photograph, a relative path below the folder
 *
 * Returns: (transfer none) (nullable): the photograph, new if it was not met before; %NULL for names that lead out of the folder
 */
Photograph *album_draft_find (AlbumDraft *draft, const char *name, GError **error);
/* White space at the ends goes, line ends become spaces. */
gboolean album_draft_caption (AlbumDraft *draft, Photograph *photograph, const char *caption, GError **error);

/* Reads JSON of either form; @known: (out): whether the file knows splits. */
gboolean album_read_json (AlbumDraft *draft, gboolean *known, GError **error);

G_END_DECLS
