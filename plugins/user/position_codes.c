/* position_codes: sinusoidal codes of the positions of every length that occurs, each length once.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

#include <math.h>
#include <string.h>

typedef struct
{
  gint64 width;
} PositionCodes;

enum
{
  CODES,
  GROUP,
};

static gint32
length_of (const gint32 *offsets, gint64 sample)
{
  return offsets[sample + 1] - offsets[sample];
}

/* Numbers the distinct lengths in order of first appearance. */
static gint64
group_lengths (const WeftTensor *x, gint32 *group, gint32 *offsets)
{
  gint64 n = 0;

  offsets[0] = 0;
  for (gint64 sample = 0; sample < x->samples; sample++)
    {
      gint64 other = 0;
      while (other < n && length_of (offsets, other) != length_of (x->offsets, sample))
        other++;
      if (other == n)
        {
          offsets[n + 1] = offsets[n] + length_of (x->offsets, sample);
          n++;
        }
      group[sample] = (gint32) other;
    }
  return n;
}

/* code[2i] = sin (position 10000^(−2i / width)), code[2i + 1] = cos of the same */
static void
fill_codes (gint64 width, gint32 rows, float *codes)
{
  for (gint64 i = 0; i < width; i += 2)
    {
      double frequency = exp (-log (10000.0) * (double) i / (double) width);
      for (gint32 position = 0; position < rows; position++)
        {
          codes[position * width + i] = (float) sin (position * frequency);
          if (i + 1 < width)
            codes[position * width + i + 1] = (float) cos (position * frequency);
        }
    }
}

static void
position_codes_forward (const WeftCall *call)
{
  gint64 width = ((const PositionCodes *) call->attributes)->width, longest = 0;
  WeftTensor *codes = call->out[CODES];
  gint32 *offsets = codes->offsets;
  gint64 n = group_lengths (call->in[0], call->out[GROUP]->data, offsets);
  float *rows = codes->data;

  weft_resize (call, codes, n, offsets[n]);
  for (gint64 which = 1; which < n; which++)
    if (length_of (offsets, which) > length_of (offsets, longest))
      longest = which;
  if (n)
    fill_codes (width, length_of (offsets, longest), rows + offsets[longest] * width);
  for (gint64 which = 0; which < n; which++)
    if (which != longest && length_of (offsets, which) > 0)
      memcpy (rows + offsets[which] * width, rows + offsets[longest] * width,
              (gsize) (length_of (offsets, which) * width) * sizeof (float));
}

static const WeftAttribute attributes[] = {
  WEFT_INTEGER (PositionCodes, width, "32", 1, 4096, "", "width of a code"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_CONSTANT, .meaning = "rows; only the lengths of the samples matter" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "codes", .signature = "f32[u<=b : p<=t, $width]", .meaning = "codes of positions 0 to length − 1, for each distinct length" },
  { .name = "group", .signature = "i32[b] < b", .meaning = "which of the distinct lengths each sample has" },
  { .name = NULL },
};

static const WeftOperator position_codes = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "position_codes",
  .version = 2,
  .summary = "Sinusoidal codes of the positions of every length that occurs, each length once",
  .documentation =
      "code[2i] = sin(position · 10000^(−2i / width)), code[2i + 1] = cos of the same, positions from 0.\n\n"
      "GPO's weights depend on a sample's length alone, so that they are computed once per distinct length: `codes` is ragged over "
      "the distinct lengths in order of first appearance, `group` says which one each sample has. A sample without rows has a "
      "length too.",
  .source =
      "Vaswani et al., Attention Is All You Need (arXiv 1706.03762), section 3.5; Chen et al., Learning the Best Pooling Strategy for "
      "Visual Semantic Embedding (arXiv 2011.04305), section 3.3",
  .attributes_size = sizeof (PositionCodes),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .forward = position_codes_forward,
  .not_differentiable = "it depends on lengths alone",
  .example = "x: {op: feed, signature: \"f32[b<=4 : t<=20, 6]\"}\n"
             "y: {op: position_codes, x: x, width: 8}\n",
};
WEFT_OPERATOR (position_codes);
