/* position_codes: sinusoidal codes of the positions of every length that occurs, each length once.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include <weft/operator.h>

typedef struct
{
  gint64 width;
} PositionCodes;

enum { CODES, GROUP };

static gint32
length_of (const WeftTensor *x, gint64 sample)
{
  return x->offsets[sample + 1] - x->offsets[sample];
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
      while (other < n && offsets[other + 1] - offsets[other] != length_of (x, sample))
        other++;
      if (other == n)
        {
          offsets[n + 1] = offsets[n] + length_of (x, sample);
          n++;
        }
      group[sample] = (gint32) other;
    }
  return n;
}

static void
position_codes_forward (const WeftCall *call)
{
  const PositionCodes *self = call->attributes;
  WeftTensor *codes = call->out[CODES];
  gint64 n = group_lengths (call->in[0], call->out[GROUP]->data, codes->offsets);

  for (gint64 which = 0; which < n; which++)
    for (gint64 row = codes->offsets[which]; row < codes->offsets[which + 1]; row++)
      for (gint64 i = 0; i < self->width; i++)
        {
          double position = (double) (row - codes->offsets[which]);
          double angle = position * exp ((double) (i / 2 * 2) * -(log (10000.0) / (double) self->width));
          ((float *) codes->data)[row * self->width + i] = (float) (i % 2 ? cos (angle) : sin (angle));
        }
  weft_resize (call, codes, n, codes->offsets[n]);
}

static const WeftOperator position_codes = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "position_codes",
  .version = 1,
  .summary = "sinusoidal codes of the positions of every length that occurs, each length once",
  .documentation = "GPO's weights depend on a sample's length alone, so that they are computed once per distinct length: `codes` is ragged over distinct "
                   "lengths in order of first appearance, `group` says which one each sample has.",
  .source = "Vaswani et al., NIPS 2017, section 3.5; Chen et al., CVPR 2021 (GPO)",
  .attributes_size = sizeof (PositionCodes),
  .attributes = (const WeftAttribute[]){ WEFT_INTEGER (PositionCodes, width, "32", 1, 4096, "", "width of a code"), { 0 } },
  .inputs = (const WeftPort[]){ { .name = "x", .signature = "f32[b:t, d]", .flags = WEFT_PORT_CONSTANT, .meaning = "rows; only their offsets matter" },
                                { 0 } },
  .outputs = (const WeftPort[]){ { .name = "codes", .signature = "f32[u<=b : p<=t, $width]", .meaning = "codes of positions 0 to length − 1" },
                                 { .name = "group", .signature = "i32[b] < b", .meaning = "which of the distinct lengths each sample has" },
                                 { 0 } },
  .forward = position_codes_forward,
  .not_differentiable = "it depends on lengths alone",
  .example = "x: {op: feed, signature: \"f32[b<=4 : t<=20, 6]\"}\n"
             "y: {op: position_codes, x: x, width: 8}\n",
};
WEFT_OPERATOR (position_codes);
