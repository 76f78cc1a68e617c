/* adamw: Adam with decoupled weight decay.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "update.h"

#include <math.h>
#include <weft/dispatch.h>

enum
{
  SLOT_MEAN,
  SLOT_SQUARE,
  SLOT_ACCUMULATED,
};

typedef struct
{
  float factor, beta1, take1, beta2, take2, keep, rate, root, epsilon;
} Constants;

WEFT_LOOP void
update_loop (gint64 n, const Constants *constants, const float *restrict gradient, float *restrict value, float *restrict mean,
             float *restrict square)
{
  const Constants c = *constants;
  for (gint64 i = 0; i < n; i++)
    {
      float g = c.factor * gradient[i];
      float m = c.beta1 * mean[i] + c.take1 * g;
      float v = c.beta2 * square[i] + c.take2 * (g * g);
      mean[i] = m;
      square[i] = v;
      value[i] = c.keep * value[i] - c.rate * (m / (sqrtf (v) * c.root + c.epsilon));
    }
}

/* Lines of four arrays are asked for ahead of a loop that divides. */
#define LINE 16
#define AHEAD 512

WEFT_LOOP void
update_ahead_loop (gint64 n, const Constants *constants, const float *restrict gradient, float *restrict value, float *restrict mean,
                   float *restrict square)
{
  gint64 i = 0;
  for (; i + LINE <= n; i += LINE)
    {
      __builtin_prefetch (gradient + i + AHEAD);
      __builtin_prefetch (value + i + AHEAD, 1);
      __builtin_prefetch (mean + i + AHEAD, 1);
      __builtin_prefetch (square + i + AHEAD, 1);
      update_loop (LINE, constants, gradient + i, value + i, mean + i, square + i);
    }
  update_loop (n - i, constants, gradient + i, value + i, mean + i, square + i);
}
WEFT_DISPATCH (void, update, update_ahead_loop,
               (gint64 n, const Constants *constants, const float *gradient, float *value, float *mean, float *square),
               (n, constants, gradient, value, mean, square))

static void
adamw_update (const Optimizer *adamw, const OptimizerTile *tile)
{
  double correction1 = 1 - pow (adamw->beta1, (double) tile->updates), correction2 = 1 - pow (adamw->beta2, (double) tile->updates);
  Constants constants = { .factor = tile->factor,
                          .beta1 = (float) adamw->beta1,
                          .take1 = (float) (1 - adamw->beta1),
                          .beta2 = (float) adamw->beta2,
                          .take2 = (float) (1 - adamw->beta2),
                          .keep = (float) (1 - tile->rate * tile->decay),
                          .rate = (float) (tile->rate / correction1),
                          .root = (float) (1 / sqrt (correction2)),
                          .epsilon = (float) adamw->epsilon };
  update (tile->n, &constants, tile->gradient, tile->value, tile->slots[SLOT_MEAN], tile->slots[SLOT_SQUARE]);
}

static void
adamw_forward (const WeftCall *call)
{
  optimizer_step (call, SLOT_ACCUMULATED, adamw_update);
}

static const WeftAttribute attributes[] = {
  WEFT_SCHEDULED (Optimizer, rate, "1e-3", 0, 1e3, "", "learning rate"),
  WEFT_NUMBER (Optimizer, beta1, "0.9", 0, 0.9999999, "", "decay rate of the mean of gradients"),
  WEFT_NUMBER (Optimizer, beta2, "0.999", 0, 0.9999999, "", "decay rate of the mean of squared gradients"),
  WEFT_NUMBER (Optimizer, epsilon, "1e-8", 0, 1, "", "added to the root of the mean square"),
  WEFT_NUMBER (Optimizer, decay, "1e-4", 0, 1e3, "", "weight decay, times the rate per update"),
  OPTIMIZER_GROUPS,
  { .name = NULL },
};

static const WeftPort inputs[] = { OPTIMIZER_INPUTS, { .name = NULL } };
static const WeftPort outputs[] = { OPTIMIZER_OUTPUTS, { .name = NULL } };
static const WeftPort states[] = { OPTIMIZER_STATES, { .name = NULL } };

static const WeftSlot slots[] = {
  { .name = "mean" },
  { .name = "square" },
  { .name = "accumulated", .when = "accumulate" },
  { .name = NULL },
};

static const WeftOperator adamw = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "adamw",
  .version = 1,
  .summary = "Minimizes an objective by Adam with decoupled weight decay",
  .documentation =
      "θ ← θ (1 − η λ), m ← β1 m + (1 − β1) g, v ← β2 v + (1 − β2) g², θ ← θ − η (m / (1 − β1^t)) / (√(v / (1 − β2^t)) + ε), over every "
      "parameter that the objective depends on, biases, norms and unused embedding rows included, as PyTorch's AdamW does.\n\n"
      "Before that the gradients are scaled by min(1, clip / (‖g‖ + 1e-6)), ‖g‖ being the norm over all parameters together. With "
      "`accumulate: n` the mean gradient of n steps makes one update in the last of them.\n\n"
      "Groups are patterns over parameter paths: `scale: {text.bert: 0.1}` trains what is below text.bert at a tenth of the rate. Frozen "
      "parameters neither move nor decay, nor count in the norm; t counts from the end of `frozen_until`.",
  .source = "Loshchilov and Hutter, Decoupled weight decay regularization (arXiv 1711.05101), algorithm 2",
  .attributes_size = sizeof (Optimizer),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .states = states,
  .slots = slots,
  .forward = adamw_forward,
  .not_differentiable = "it moves parameters, not values",
  .open = optimizer_open,
  .close = optimizer_close,
  .effect = TRUE,
  .example = "x: {op: feed, signature: \"f32[b<=6, 4]\"}\n"
             "y: {op: linear, x: x, units: 3}\n"
             "loss: {op: mean, x: y}\n"
             "update: {op: adamw, minimize: loss, rate: 0.01, clip: 2, decay_scale: {\"**.bias\": 0}}\n",
};
WEFT_OPERATOR (adamw);
