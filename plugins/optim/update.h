/* What optimizers share: groups of parameters by path, accumulation, the global gradient norm, and one pass over the parameters.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <weft/operator.h>

G_BEGIN_DECLS

/* Attributes of all optimizers. Each optimizer lists those that it has. */
typedef struct
{
  double rate;
  double decay;
  double clip;
  gint64 accumulate;
  WeftNumbers scale;
  WeftNumbers decay_scale;
  const char *const *freeze;
  WeftNumbers frozen_until;
  double beta1;
  double beta2;
  double epsilon;
  double momentum;
  gboolean nesterov;
} Optimizer;

#define OPTIMIZER_GROUPS                                                                                                                   \
  WEFT_NUMBER (Optimizer, clip, "0", 0, 1e9, "", "largest global norm of the gradients; larger ones are scaled down to it; 0: no limit"),  \
      WEFT_INTEGER (Optimizer, accumulate, "1", 1, 1 << 20, "steps", "steps whose mean gradient makes one update"),                        \
      WEFT_NUMBERS (Optimizer, scale, "", "factors of the rate by parameter path; of several patterns that match, the last counts"),       \
      WEFT_NUMBERS (Optimizer, decay_scale, "", "factors of the decay by parameter path"),                                                 \
      WEFT_STRINGS (Optimizer, freeze, "paths of parameters that are left alone"),                                                         \
      WEFT_NUMBERS (Optimizer, frozen_until, "steps", "by parameter path, the step before which parameters are left alone")

#define OPTIMIZER_INPUTS                                                                                                                   \
  {                                                                                                                                        \
    "minimize", "f32[]", WEFT_PORT_OBJECTIVE, "the objective", NULL, NULL, NULL                                                            \
  }

#define OPTIMIZER_OUTPUTS                                                                                                                  \
  { "norm", "f32[]", WEFT_PORT_OPTIONAL, "global norm of the gradients before clipping", NULL, NULL, NULL },                               \
  {                                                                                                                                        \
    "rate", "f32[]", WEFT_PORT_OPTIONAL, "the rate in this step, before `scale`", NULL, NULL, NULL                                         \
  }

#define OPTIMIZER_STATES                                                                                                                   \
  {                                                                                                                                        \
    "steps", "i64[]", 0, "steps done, for bias correction and accumulation", "zeros", NULL, NULL                                           \
  }

/**
 * OptimizerTile:
 * @n: number of elements
 * @value, @gradient: of the parameter; the gradient has to be multiplied by @factor
 * @slots: the optimizer's own slots
 * @factor: of clipping and accumulation
 * @rate, @decay: of this parameter in this step, all factors included
 * @updates: how many updates this parameter has had, this one included
 *
 * A stretch of one parameter.
 */
typedef struct
{
  gint64 n;
  float *value;
  const float *gradient;
  float *slots[WEFT_MAX_SLOTS];
  float factor;
  double rate, decay;
  gint64 updates;
} OptimizerTile;

/* For `open` and `close` of the descriptor. */
gpointer optimizer_open (const WeftOpening *opening, GError **error);
void optimizer_close (gpointer instance);

/**
 * optimizer_step:
 * @accumulated: the slot in which gradients are summed if `accumulate` is above 1
 * @update: moves one tile of a parameter; called in parallel
 *
 * The whole of an optimizer's `forward`.
 */
void optimizer_step (const WeftCall *call, guint accumulated, void (*update) (const Optimizer *optimizer, const OptimizerTile *tile));

G_END_DECLS
