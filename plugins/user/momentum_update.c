/* momentum_update: slowly moving copies of networks, the key encoders of momentum contrast.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/dispatch.h>
#include <weft/operator.h>

#define TILE 16384

typedef struct
{
  double rate;
} MomentumUpdate;

/* Which tiles belong to which weight; made at the first step and kept, since the weights of a graph don't change. */
typedef struct
{
  guint n_weights;
  gint64 *first_tile; /* n_weights + 1 entries */
} Tiles;

static gpointer
momentum_update_open (const WeftOpening *opening G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return g_new0 (Tiles, 1);
}

static void
momentum_update_close (gpointer instance)
{
  Tiles *tiles = instance;
  g_free (tiles->first_tile);
  g_free (tiles);
}

static void
cut_tiles (Tiles *tiles, const WeftCall *call)
{
  if (tiles->first_tile && tiles->n_weights == call->n_weights)
    return;
  tiles->n_weights = call->n_weights;
  tiles->first_tile = g_renew (gint64, tiles->first_tile, call->n_weights + 1);
  tiles->first_tile[0] = 0;
  for (guint w = 0; w < call->n_weights; w++)
    {
      /* The key encoders' running statistics are their own: norms of the key encoders write them. */
      gint64 elements = call->weights[w].statistic ? 0 : weft_tensor_elements (&call->weights[w].value);
      tiles->first_tile[w + 1] = tiles->first_tile[w] + (elements + TILE - 1) / TILE;
    }
}

WEFT_LOOP void
follow_loop (gint64 n, float keep, float take, const float *restrict query, float *restrict key)
{
  for (gint64 i = 0; i < n; i++)
    key[i] = keep * key[i] + take * query[i];
}
WEFT_DISPATCH (void, follow, follow_loop, (gint64 n, float keep, float take, const float *query, float *key), (n, keep, take, query, key))

static void
momentum_update_tile (gpointer data, gint64 index, guint member G_GNUC_UNUSED)
{
  const WeftCall *call = data;
  const Tiles *tiles = call->instance;
  double rate = ((const MomentumUpdate *) call->attributes)->rate;
  guint low = 0, high = tiles->n_weights;
  while (high - low > 1)
    {
      guint middle = low + (high - low) / 2;
      if (tiles->first_tile[middle] <= index)
        low = middle;
      else
        high = middle;
    }
  const WeftWeight *weight = &call->weights[low];
  gint64 start = (index - tiles->first_tile[low]) * TILE, n = MIN (TILE, weft_tensor_elements (&weight->value) - start);
  float keep = (float) rate, take = (float) (1.0 - rate);
  follow (n, keep, take, (const float *) weight->value.data + start, (float *) weight->slots[0].data + start);
}

static void
momentum_update_forward (const WeftCall *call)
{
  Tiles *tiles = call->instance;
  cut_tiles (tiles, call);
  weft_parallel (call, tiles->first_tile[call->n_weights], momentum_update_tile, (gpointer) call);
}

static const WeftAttribute attributes[] = {
  WEFT_SCHEDULED (MomentumUpdate, rate, "0.999", 0, 1, "", "momentum m: how much of a key parameter survives a step"),
  { .name = NULL },
};

static const WeftPort inputs[] = {
  { .name = "source",
    .flags = WEFT_PORT_WEIGHTS | WEFT_PORT_VARIADIC,
    .meaning = "networks to follow, by the names under which their copies are used" },
  { .name = NULL },
};

static const WeftPort outputs[] = {
  { .name = "weights",
    .flags = WEFT_PORT_WEIGHTS,
    .meaning = "the copies, for `weights:` of uses of the networks: NODE.NAME for the source of that name" },
  { .name = NULL },
};

static const WeftSlot slots[] = {
  { .name = "key", .copy = TRUE, .statistics = TRUE, .weights = "weights" },
  { .name = NULL },
};

static const WeftOperator momentum_update = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "momentum_update",
  .version = 1,
  .summary = "Keeps copies of networks whose parameters follow the originals by an exponential moving average",
  .documentation =
      "θ_key ← m θ_key + (1 − m) θ over all parameters, before anything in the step uses the copies. The copies start equal to "
      "the originals as they are after loading. Running statistics of batch norms are copied at the start and never averaged: a "
      "copy used in training mode keeps its own.",
  .source = "He et al., MoCo (arXiv 1911.05722), equation 2; Zhang et al., USER (arXiv 2301.06844), section III-D",
  .attributes_size = sizeof (MomentumUpdate),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .slots = slots,
  .forward = momentum_update_forward,
  .not_differentiable = "it moves parameters, not values",
  .open = momentum_update_open,
  .close = momentum_update_close,
  .effect = TRUE,
  .example = "x: {op: feed, signature: \"f32[b<=6, 4]\"}\n"
             "query: {use: net, x: x}\n"
             "momentum: {op: momentum_update, source: {net: net}, rate: 0.9}\n"
             "key: {use: net, weights: momentum.net, x: x}\n"
             "loss: {op: info_nce, image: query, text: key}\n"
             "update: {op: sgd, minimize: loss, rate: 0.1}\n",
};
WEFT_OPERATOR (momentum_update);
