/* Uses of networks: their nodes, with their own weights or with somebody's copy of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "expand.h"

#include "edit.h"
#include "settings.h"

static const char *const use_keys[] = { "use", "weights", "mode", "compute", NULL };

static const char *const network_keys[] = { "module", "load", "frozen", "compute", NULL };

static void
check_keys (WeftScope *scope, const char *what, const WeftValue *map, const WeftValue *inputs)
{
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      const char *key = weft_value_key (map, i);
      if (g_strv_contains (use_keys, key) || (inputs && weft_value_lookup (inputs, key)))
        continue;
      g_autofree char *hint = weft_expand_hint (key, inputs, NULL, use_keys);
      weft_problems_add (scope->problems, weft_value_key_mark (map, i), "%s has no input \"%s\"%s (attributes are set under `networks:`)",
                         what, key, hint);
    }
}

/* The definition of the network that @used names, as edits leave it. Returns: (transfer full) (nullable): %NULL if there is none, which was told */
static WeftValue *
find_network (WeftScope *scope, const WeftValue *used, const char *name)
{
  WeftPipeline *pipeline = scope->graph->pipeline;
  WeftValue *networks = weft_value_lookup (pipeline->document, "networks");
  WeftValue *given = networks ? weft_value_lookup (networks, name) : NULL;

  if (given && weft_pipeline_network (pipeline, name))
    return weft_edits_network (pipeline->edits, name, given);
  g_autofree char *hint = weft_expand_hint (name, networks, NULL, NULL);
  weft_problems_add (scope->problems, weft_value_mark (used), "there is no network \"%s\"%s", name, hint);
  return NULL;
}

/* A network's nodes have the paths of the node that uses it, and the parameters of the network. */
static void
place (WeftScope *inner, const WeftNetwork *network, gboolean trainable)
{
  g_free (inner->store_path);
  g_free (inner->address);
  inner->store_path = g_strdup (network->name);
  inner->address = g_strdup (network->name);
  inner->trainable = trainable;
  inner->network = network->name;
}

static gboolean
borrow (WeftScope *scope, WeftScope *inner, WeftValue *weights)
{
  if (weft_value_kind (weights) == WEFT_VALUE_SCALAR)
    return weft_scope_borrow_weights (scope, inner, weights);
  weft_problems_add (scope->problems, weft_value_mark (weights), "weights must be a reference such as momentum.image");
  return FALSE;
}

void
weft_expand_use (WeftScope *scope, const char *name, WeftValue *map, WeftMark mark)
{
  WeftValue *used = weft_value_lookup (map, "use"), *weights = weft_value_lookup (map, "weights");
  const char *network_name = weft_value_kind (used) == WEFT_VALUE_SCALAR ? weft_value_text (used) : "";
  g_autoptr (WeftValue) network = find_network (scope, used, network_name);
  WeftValue *module_name = network ? weft_value_lookup (network, "module") : NULL;
  WeftValue *module = module_name ? weft_expand_find_module (scope, module_name) : NULL;

  if (!module)
    {
      weft_expand_nothing (scope, name, mark);
      return;
    }
  WeftNetwork *settings = weft_pipeline_network (scope->graph->pipeline, network_name);
  WeftValue *inputs = weft_value_lookup (module, "inputs");
  g_autoptr (WeftValue) attributes =
      weft_expand_attributes (scope, weft_value_text (module_name), network_name, weft_value_lookup (module, "attributes"), NULL, network,
                              network_keys, settings->mark);
  g_autofree char *what = g_strconcat ("network ", network_name, NULL);
  WeftEntity *instance = weft_expand_body (scope, name, what, module, attributes, mark);

  check_keys (scope, what, map, inputs);
  place (instance->inner, settings, scope->trainable && !settings->frozen && !weights);
  weft_settings_read (instance->inner, network);
  weft_settings_read (instance->inner, map);
  weft_expand_bind_all (instance, scope, inputs, map, mark);
  if (weights && !borrow (scope, instance->inner, weights))
    instance->kind = WEFT_ENTITY_FAULTY;
  else
    weft_expand_nodes (instance->inner, instance->body, instance->outputs);
}
