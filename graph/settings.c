/* What graphs, uses, instances and nodes may say about how nodes run: `mode:` and `compute:`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "settings.h"

static const char *const modes[] = { "train", "infer" };
static const char *const computes[] = { "float32", "bf16" };

const char *
weft_mode_name (WeftMode mode)
{
  return modes[mode];
}

const char *
weft_compute_name (WeftCompute compute)
{
  return computes[compute];
}

static guint
read_choice (const WeftValue *map, const char *key, const char *const words[2], guint inherited, WeftProblems *problems)
{
  const WeftValue *value = weft_value_lookup (map, key);
  const char *text = value && weft_value_kind (value) == WEFT_VALUE_SCALAR ? weft_value_text (value) : NULL;

  if (!value)
    return inherited;
  for (guint i = 0; i < 2; i++)
    if (g_strcmp0 (text, words[i]) == 0)
      return i;
  weft_problems_add (problems, weft_value_mark (value), "%s must be %s or %s, not %s%s%s", key, words[0], words[1], text ? "\"" : "",
                     text ? text : "a list or map", text ? "\"" : "");
  return inherited;
}

void
weft_settings_read (WeftScope *scope, const WeftValue *map)
{
  scope->mode = (WeftMode) read_choice (map, "mode", modes, scope->mode, scope->problems);
  scope->compute = (WeftCompute) read_choice (map, "compute", computes, scope->compute, scope->problems);
}

void
weft_settings_read_node (const WeftScope *scope, WeftNode *node, const WeftValue *map)
{
  WeftScope own = *scope;
  const WeftValue *asked = weft_value_lookup (map, "compute");

  weft_settings_read (&own, map);
  node->mode = own.mode;
  node->compute = node->op->allows_bf16 ? own.compute : WEFT_COMPUTE_FLOAT32;
  if (asked && own.compute != node->compute)
    weft_problems_add (scope->problems, weft_value_mark (asked), "operator %s (node `%s`) computes in float32 only", node->op->name,
                       node->path);
}
