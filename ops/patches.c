/* patches: pictures cut into squares, one row each.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <weft/operator.h>

typedef struct
{
  gint64 patch;
} Patches;

typedef struct
{
  const float *from;
  float *to;
  gint64 patch, channels, height, width, across, down;
  gboolean back;
} Work;

/* One row of patches of one picture. A patch is laid out channel by channel, line by line, as convolutions lay out their weights. */
static void
cut_row (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const Work *work = data;
  gint64 patch = work->patch, picture = index / work->down, top = index % work->down * patch;
  gsize line = (gsize) patch * sizeof (float);

  for (gint64 c = 0; c < work->channels; c++)
    for (gint64 y = 0; y < patch; y++)
      for (gint64 column = 0; column < work->across; column++)
        {
          gint64 pixel = ((picture * work->channels + c) * work->height + top + y) * work->width + column * patch;
          gint64 cell = (((index * work->across + column) * work->channels + c) * patch + y) * patch;
          if (work->back)
            memcpy (work->to + pixel, work->from + cell, line);
          else
            memcpy (work->to + cell, work->from + pixel, line);
        }
}

static Work
prepare (const WeftCall *call, const WeftTensor *pixels)
{
  gint64 patch = ((const Patches *) call->attributes)->patch;

  return (Work){ .patch = patch,
                 .channels = pixels->shape[1],
                 .height = pixels->shape[2],
                 .width = pixels->shape[3],
                 .across = pixels->shape[3] / patch,
                 .down = pixels->shape[2] / patch };
}

static void
patches_forward (const WeftCall *call)
{
  const WeftTensor *pixels = call->in[0];
  WeftTensor *y = call->out[0];
  Work work = prepare (call, pixels);

  work.from = pixels->data;
  work.to = y->data;
  for (gint64 i = 0; i <= pixels->shape[0]; i++)
    y->offsets[i] = (gint32) (i * work.across * work.down);
  weft_resize (call, y, pixels->shape[0], pixels->shape[0] * work.across * work.down);
  weft_parallel (call, pixels->shape[0] * work.down, cut_row, &work);
}

static void
patches_backward (const WeftCall *call)
{
  if (!call->in_gradient[0])
    return;
  Work work = prepare (call, call->in_gradient[0]);
  work.from = call->out_gradient[0]->data;
  work.to = call->in_gradient[0]->data;
  work.back = TRUE;
  weft_parallel (call, call->in_gradient[0]->shape[0] * work.down, cut_row, &work);
}

static const WeftOperator patches = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "patches",
  .version = 1,
  .summary = "Cuts pictures into squares, line by line, one row each",
  .documentation = "A row holds its square channel by channel and line by line, so that a linear layer after it is a convolution whose "
                   "stride is its size. `patch` has to divide height and width.",
  .source = "Dosovitskiy et al.: An image is worth 16x16 words, arXiv 2010.11929, section 3.1",
  .attributes_size = sizeof (Patches),
  .attributes = (const WeftAttribute[]){ WEFT_INTEGER (Patches, patch, NULL, 1, 4096, "pixels", "side of a square"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "pixels", .signature = "f32[b, c, h, w]", .meaning = "pictures, channel by channel" }, { 0 } },
  .outputs = (const WeftPort[]){ { .name = "y",
                                   .signature = "f32[b : t <= b * (h / $patch) * (w / $patch), c * $patch * $patch]",
                                   .meaning = "the squares of each picture" },
                                 { 0 } },
  .forward = patches_forward,
  .backward = patches_backward,
  .example = "pixels: {op: feed, signature: \"f32[b<=3, 3, 4, 6]\", gradient: true}\n"
             "y: {op: patches, pixels: pixels, patch: 2}\n",
};
WEFT_OPERATOR (patches);
