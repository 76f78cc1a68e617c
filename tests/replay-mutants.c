/* Operators that make deliberate mistakes, to see that recordings notice them. Each can do the right thing too: then recordings must be
 * met, so that it is the mistake that they notice.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <string.h>

#include "registry.h"
#include "replay.h"

/* mutant_batch_loss: the batch term of unified_loss without the diagonal's exp(−μγ). */

typedef struct
{
  double scale, margin, batch_weight;
  gboolean right;
} BatchLoss;

static double
dot (const WeftTensor *x, gint64 i, const WeftTensor *y, gint64 j)
{
  gint64 e = x->shape[1];
  double sum = 0;
  for (gint64 k = 0; k < e; k++)
    sum += (double) ((const float *) x->data)[i * e + k] * (double) ((const float *) y->data)[j * e + k];
  return sum;
}

/* Σ_{j ≠ i} exp(μ (s − γ)) over a row or a column; exp(−μγ) belongs to it. */
static double
sum_of (const WeftCall *call, gint64 i, gboolean column)
{
  const BatchLoss *attributes = call->attributes;
  double sum = attributes->right ? exp (-attributes->scale * attributes->margin) : 0;
  for (gint64 j = 0; j < call->in[0]->shape[0]; j++)
    if (j != i)
      sum += exp (attributes->scale
                  * ((column ? dot (call->in[0], j, call->in[1], i) : dot (call->in[0], i, call->in[1], j)) - attributes->margin));
  return sum;
}

static void
batch_loss_forward (const WeftCall *call)
{
  const BatchLoss *attributes = call->attributes;
  gint64 n = call->in[0]->shape[0];
  double loss = 0;
  for (gint64 i = 0; i < n; i++)
    loss += (log1p (sum_of (call, i, FALSE)) + log1p (sum_of (call, i, TRUE))) / attributes->scale
            - log1p (MAX (dot (call->in[0], i, call->in[1], i), 0));
  *(float *) call->out[0]->data = (float) (attributes->batch_weight * loss / (double) n);
}

static void
batch_loss_backward (const WeftCall *call)
{
  const BatchLoss *attributes = call->attributes;
  const WeftTensor *x = call->in[0], *y = call->in[1];
  gint64 n = x->shape[0], e = x->shape[1];
  double by_loss = (double) *(const float *) call->out_gradient[0]->data * attributes->batch_weight / (double) n;
  for (guint port = 0; port < 2; port++)
    memset (call->in_gradient[port]->data, 0, weft_tensor_bytes (call->in_gradient[port]));
  for (gint64 i = 0; i < n; i++)
    for (gint64 j = 0; j < n; j++)
      {
        double s = dot (x, i, y, j), negative = exp (attributes->scale * (s - attributes->margin));
        double by_s =
            i == j ? (s > 0 ? -1 / (1 + s) : 0) : negative / (1 + sum_of (call, i, FALSE)) + negative / (1 + sum_of (call, j, TRUE));
        for (gint64 k = 0; k < e; k++)
          {
            ((float *) call->in_gradient[0]->data)[i * e + k] += (float) (by_loss * by_s * (double) ((const float *) y->data)[j * e + k]);
            ((float *) call->in_gradient[1]->data)[j * e + k] += (float) (by_loss * by_s * (double) ((const float *) x->data)[i * e + k]);
          }
      }
}

static const WeftOperator mutant_batch_loss = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "mutant_batch_loss",
  .version = 1,
  .summary = "unified_loss's batch term with the diagonal left out",
  .attributes_size = sizeof (BatchLoss),
  .attributes = (const WeftAttribute[]){ WEFT_NUMBER (BatchLoss, scale, NULL, 0, 0, "", "μ"),
                                         WEFT_NUMBER (BatchLoss, margin, NULL, 0, 0, "", "γ"),
                                         WEFT_NUMBER (BatchLoss, batch_weight, NULL, 0, 0, "", "λ"),
                                         WEFT_BOOLEAN (BatchLoss, right, "false", "with the diagonal"),
                                         { .name = NULL } },
  .inputs = (const WeftPort[]){ { .name = "image", .signature = "f32[b, e]", .flags = WEFT_PORT_READ, .meaning = "" },
                                { .name = "text", .signature = "f32[b, e]", .flags = WEFT_PORT_READ, .meaning = "" },
                                { .name = NULL } },
  .outputs = (const WeftPort[]){ { .name = "loss", .signature = "f32[]", .meaning = "" }, { .name = NULL } },
  .forward = batch_loss_forward,
  .backward = batch_loss_backward,
};

/* mutant_enqueue: writes the queues and hands them on, so that what reads its outputs sees this step's keys. */

typedef struct
{
  gint64 length;
} Enqueue;

/* Indices among the states of key_queue: image, text, cursor. */
static void
enqueue_forward (const WeftCall *call)
{
  const Enqueue *attributes = call->attributes;
  gint64 *cursor = call->others[2]->data, n = call->in[1]->shape[0], e = call->in[1]->shape[1];
  for (guint which = 0; which < 2; which++)
    {
      float *queue = call->others[which]->data;
      for (gint64 i = 0; i < n; i++)
        memcpy (queue + (*cursor + i) % attributes->length * e, (const float *) call->in[1 + which]->data + i * e,
                (gsize) e * sizeof (float));
      memcpy (call->out[which]->data, queue, weft_tensor_bytes (call->out[which]));
    }
  *cursor = (*cursor + n) % attributes->length;
}

static const WeftOperator mutant_enqueue = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "mutant_enqueue",
  .version = 1,
  .summary = "queue_enqueue before the loss",
  .attributes_size = sizeof (Enqueue),
  .attributes = (const WeftAttribute[]){ WEFT_INTEGER (Enqueue, length, NULL, 1, 1 << 24, "keys", "of the queues"), { .name = NULL } },
  .inputs = (const WeftPort[]){ { .name = "into", .flags = WEFT_PORT_STATE_OF, .meaning = "" },
                                { .name = "image", .signature = "f32[b, e]", .flags = WEFT_PORT_CONSTANT, .meaning = "" },
                                { .name = "text", .signature = "f32[b, e]", .flags = WEFT_PORT_CONSTANT, .meaning = "" },
                                { .name = NULL } },
  .outputs = (const WeftPort[]){ { .name = "image_queue", .signature = "f32[$length, e]", .meaning = "" },
                                 { .name = "text_queue", .signature = "f32[$length, e]", .meaning = "" },
                                 { .name = NULL } },
  .forward = enqueue_forward,
  .not_differentiable = "keys are constants",
  .effect = TRUE,
};

/* mutant_adamw: AdamW whose gradients are clipped encoder by encoder. */

typedef struct
{
  double rate, decay, beta1, beta2, epsilon, clip;
  WeftNumbers scale;
  gboolean right;
} Adamw;

static double
square_of (const WeftTensor *gradient)
{
  double sum = 0;
  for (gint64 i = 0; i < weft_tensor_elements (gradient); i++)
    sum += pow ((double) ((const float *) gradient->data)[i], 2);
  return sum;
}

static void
adamw_weight (const Adamw *self, const WeftWeight *weight, double factor, double steps)
{
  float *value = weight->value.data, *mean = weight->slots[0].data, *square = weight->slots[1].data;
  double rate = self->rate;
  for (guint i = 0; i < self->scale.n; i++)
    if (weft_path_match (self->scale.names[i], weight->path))
      rate *= self->scale.numbers[i];
  for (gint64 i = 0; i < weft_tensor_elements (&weight->value); i++)
    {
      double g = factor * (double) ((const float *) weight->gradient.data)[i];
      mean[i] = (float) (self->beta1 * (double) mean[i] + (1 - self->beta1) * g);
      square[i] = (float) (self->beta2 * (double) square[i] + (1 - self->beta2) * g * g);
      double m = (double) mean[i] / (1 - pow (self->beta1, steps)), v = (double) square[i] / (1 - pow (self->beta2, steps));
      value[i] = (float) ((double) value[i] * (1 - rate * self->decay) - rate * m / (sqrt (v) + self->epsilon));
    }
}

static void
adamw_forward (const WeftCall *call)
{
  const Adamw *self = call->attributes;
  gint64 *steps = call->states[0]->data;
  double squares[2] = { 0, 0 }; /* of the image encoder, of the text encoder */
  ++*steps;
  for (guint i = 0; i < call->n_weights; i++)
    squares[g_str_has_prefix (call->weights[i].path, "text.")] += square_of (&call->weights[i].gradient);
  for (guint i = 0; i < call->n_weights; i++)
    {
      double norm = sqrt (self->right ? squares[0] + squares[1] : squares[g_str_has_prefix (call->weights[i].path, "text.")]);
      adamw_weight (self, &call->weights[i], MIN (1, self->clip / (norm + 1e-6)), (double) *steps);
    }
  if (call->out[0])
    *(float *) call->out[0]->data = (float) sqrt (squares[0] + squares[1]);
}

static const WeftOperator mutant_adamw = {
  .size = WEFT_OPERATOR_SIZE,
  .name = "mutant_adamw",
  .version = 1,
  .summary = "adamw with clipping per encoder",
  .attributes_size = sizeof (Adamw),
  .attributes = (const WeftAttribute[]){ WEFT_SCHEDULED (Adamw, rate, NULL, 0, 0, "", ""),
                                         WEFT_NUMBER (Adamw, decay, NULL, 0, 0, "", ""),
                                         WEFT_NUMBER (Adamw, beta1, NULL, 0, 0, "", ""),
                                         WEFT_NUMBER (Adamw, beta2, NULL, 0, 0, "", ""),
                                         WEFT_NUMBER (Adamw, epsilon, NULL, 0, 0, "", ""),
                                         WEFT_NUMBER (Adamw, clip, NULL, 0, 0, "", ""),
                                         WEFT_NUMBERS (Adamw, scale, "", ""),
                                         WEFT_BOOLEAN (Adamw, right, "false", "clip all gradients together"),
                                         { .name = NULL } },
  .inputs =
      (const WeftPort[]){ { .name = "minimize", .signature = "f32[]", .flags = WEFT_PORT_OBJECTIVE, .meaning = "" }, { .name = NULL } },
  .outputs = (const WeftPort[]){ { .name = "norm", .signature = "f32[]", .meaning = "" }, { .name = NULL } },
  .states = (const WeftPort[]){ { .name = "steps", .signature = "i64[]", .initial = "zeros", .meaning = "" }, { .name = NULL } },
  .slots = (const WeftSlot[]){ { .name = "mean" }, { .name = "square" }, { .name = NULL } },
  .forward = adamw_forward,
  .not_differentiable = "it moves parameters, not values",
  .effect = TRUE,
};

gboolean
mutants_register (GError **error)
{
  return weft_registry_add (&mutant_batch_loss, error) && weft_registry_add (&mutant_enqueue, error)
         && weft_registry_add (&mutant_adamw, error);
}

const char *const *
mutation_names (void)
{
  static const char *const names[] = { "no-decay",
                                       "tenfold-decay",
                                       "no-diagonal",
                                       "statistics-averaged",
                                       "norm-momentum",
                                       "enqueue-before-loss",
                                       "momentum-after-keys",
                                       "no-clipping",
                                       "clipping-per-encoder",
                                       "key-in-evaluation-mode",
                                       "layer-norm-epsilon",
                                       NULL };
  return names;
}
