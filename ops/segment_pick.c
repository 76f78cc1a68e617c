/* segment_pick: one row of each sample, and the others.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <weft/operator.h>

#include "kernels/vector.h"

enum
{
  PICKED,
  REST,
};

enum
{
  FIRST,
  LAST,
};

typedef struct
{
  int row;
} SegmentPick;

/* Rows [others, others + count) of a sample are not picked; row @picked is, if the sample has one. */
typedef struct
{
  gint64 picked, others, count;
} Cut;

static Cut
cut_sample (const WeftCall *call, const WeftTensor *x, gint64 sample)
{
  gboolean last = ((const SegmentPick *) call->attributes)->row == LAST;
  gint64 first = x->offsets[sample], rows = x->offsets[sample + 1] - first;

  return (Cut){ rows == 0 ? -1 : last ? first + rows - 1 : first, first + (last ? 0 : 1), MAX (rows - 1, 0) };
}

static void
segment_pick_forward (const WeftCall *call)
{
  const WeftTensor *x = call->in[0];
  WeftTensor *rest = call->out[REST];
  gint64 width = x->shape[1], kept = 0;
  const float *from = x->data;

  if (rest)
    rest->offsets[0] = 0;
  for (gint64 sample = 0; sample < x->samples; sample++)
    {
      Cut cut = cut_sample (call, x, sample);
      float *y = (float *) call->out[PICKED]->data + sample * width;
      if (cut.picked < 0)
        vector->fill (width, 0, y);
      else
        memcpy (y, from + cut.picked * width, (gsize) width * sizeof (float));
      if (!rest)
        continue;
      memcpy ((float *) rest->data + kept * width, from + cut.others * width, (gsize) (cut.count * width) * sizeof (float));
      kept += cut.count;
      rest->offsets[sample + 1] = (gint32) kept;
    }
  if (rest)
    weft_resize (call, rest, x->samples, kept);
}

static void
segment_pick_backward (const WeftCall *call)
{
  WeftTensor *by_x = call->in_gradient[0];
  const WeftTensor *by_y = call->out_gradient[PICKED], *by_rest = call->out_gradient[REST];
  gint64 kept = 0;

  if (!by_x)
    return;
  gint64 width = by_x->shape[1];
  vector->fill (weft_tensor_elements (by_x), 0, by_x->data);
  for (gint64 sample = 0; sample < by_x->samples; sample++)
    {
      Cut cut = cut_sample (call, by_x, sample);
      if (by_y && cut.picked >= 0)
        memcpy ((float *) by_x->data + cut.picked * width, (const float *) by_y->data + sample * width, (gsize) width * sizeof (float));
      if (by_rest)
        memcpy ((float *) by_x->data + cut.others * width, (const float *) by_rest->data + kept * width,
                (gsize) (cut.count * width) * sizeof (float));
      kept += cut.count;
    }
}

static const WeftOperator segment_pick = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "segment_pick",
  .version = 1,
  .summary = "Takes the first or last row of each sample, and apart from it the others",
  .documentation = "Of vision transformers the class token and the patches, of CLIP's captions the end token.",
  .attributes_size = sizeof (SegmentPick),
  .attributes = (const WeftAttribute[]){ WEFT_CHOICE (SegmentPick, row, "first", "which row is picked", "first", "last"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[b:t, d]", .meaning = "rows" }, { 0 } },
  .outputs =
      (const WeftPort[]){
          { .name = "y", .signature = "f32[b, d]", .meaning = "the row; zero for a sample without rows" },
          { .name = "rest", .signature = "f32[b : r <= t, d]", .flags = WEFT_PORT_OPTIONAL, .meaning = "the other rows in their order" },
          { 0 } },
  .forward = segment_pick_forward,
  .backward = segment_pick_backward,
  .example = "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
             "apart: {op: segment_pick, x: x}\n"
             "pooled: {op: segment_mean, x: apart.rest}\n"
             "y: {op: add, x: [apart.y, pooled]}\n",
  .cases = (const char *const[]){ "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
                                  "y: {op: segment_pick, x: x, row: last}\n",
                                  "x: {op: feed, signature: \"f32[b<=3 : t<=12, 4]\", gradient: true}\n"
                                  "apart: {op: segment_pick, x: x, row: last}\n"
                                  "pooled: {op: segment_mean, x: apart.rest}\n",
                                  NULL },
};
WEFT_OPERATOR (segment_pick);
