/* sgd: stochastic gradient descent with momentum.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "update.h"

enum
{
  SLOT_VELOCITY,
  SLOT_ACCUMULATED,
};

static void
sgd_update (const Optimizer *sgd, const OptimizerTile *tile)
{
  float rate = (float) tile->rate, decay = (float) tile->decay, momentum = (float) sgd->momentum, factor = tile->factor;
  float *restrict value = tile->value, *restrict velocity = tile->slots[SLOT_VELOCITY];
  const float *restrict gradient = tile->gradient;
  for (gint64 i = 0; i < tile->n; i++)
    {
      float g = factor * gradient[i] + decay * value[i];
      float v = momentum * velocity[i] + g;
      velocity[i] = v;
      value[i] -= rate * (sgd->nesterov ? g + momentum * v : v);
    }
}

static void
sgd_forward (const WeftCall *call)
{
  optimizer_step (call, SLOT_ACCUMULATED, sgd_update);
}

static const WeftAttribute attributes[] = {
  WEFT_SCHEDULED (Optimizer, rate, "1e-2", 0, 1e3, "", "learning rate"),
  WEFT_NUMBER (Optimizer, momentum, "0", 0, 0.9999999, "", "how much of the velocity survives an update"),
  WEFT_BOOLEAN (Optimizer, nesterov, "false", "look ahead: move by the gradient and the velocity that follows from it"),
  WEFT_NUMBER (Optimizer, decay, "0", 0, 1e3, "", "weight decay, added to the gradient as decay times the weight"),
  OPTIMIZER_GROUPS,
  { .name = NULL },
};

static const WeftPort inputs[] = { OPTIMIZER_INPUTS, { .name = NULL } };
static const WeftPort outputs[] = { OPTIMIZER_OUTPUTS, { .name = NULL } };
static const WeftPort states[] = { OPTIMIZER_STATES, { .name = NULL } };

static const WeftSlot slots[] = {
  { .name = "velocity" },
  { .name = "accumulated", .when = "accumulate" },
  { .name = NULL },
};

static const WeftOperator sgd = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "sgd",
  .version = 1,
  .summary = "Minimizes an objective by stochastic gradient descent with momentum",
  .documentation =
      "g ← g + λ θ, v ← μ v + g, θ ← θ − η v, or θ ← θ − η (g + μ v) with `nesterov`, as PyTorch's SGD does without dampening. "
      "Clipping, accumulation, groups and freezing work as in adamw.",
  .source = "Sutskever et al., On the importance of initialization and momentum in deep learning (ICML 2013)",
  .attributes_size = sizeof (Optimizer),
  .attributes = attributes,
  .inputs = inputs,
  .outputs = outputs,
  .states = states,
  .slots = slots,
  .forward = sgd_forward,
  .not_differentiable = "it moves parameters, not values",
  .open = optimizer_open,
  .close = optimizer_close,
  .effect = TRUE,
  .example = "x: {op: feed, signature: \"f32[b<=6, 4]\"}\n"
             "y: {op: linear, x: x, units: 3}\n"
             "loss: {op: mean, x: y}\n"
             "update: {op: sgd, minimize: loss, rate: 0.01, clip: 2, decay_scale: {\"**.bias\": 0}}\n",
};
WEFT_OPERATOR (sgd);
