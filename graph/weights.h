/* Initial weights from files: what `load:` of a network means.
 *
 * `load:` is a path, or {path:, names:, into:, from:, optional:}, or a map of such maps, which are loaded in order:
 *
 * - `path`: a Hugging Face folder (`config.json` and `model.safetensors`), a `.safetensors` file, or a run directory, whose
 *   `best.safetensors` is taken. Relative paths start at the folder of the document that wrote them.
 * - `names`: a name map, looked for beside the document and then among the installed pipelines. A Hugging Face folder that names none
 *   gets `weights/MODEL_TYPE.yaml` after its `model_type`.
 * - `into`: the part of the network to fill (`bert`), all of it if absent; `from`: the part of the file to take, stripped from its names.
 *   From Weft's own files the network's own name is taken if `from` is absent.
 * - `optional`: parts that the file lacks keep their initial values instead of being an error.
 *
 * A name map is YAML:
 *
 *     about: BERT as Hugging Face names it
 *     expect: {model_type: bert, hidden_act: gelu}       # what config.json must say, where it says anything
 *     config:                                            # sizes of config.json that attributes of nodes must equal
 *       num_attention_heads: "**.heads"                  # PATTERN.ATTRIBUTE, nodes below the part that is filled;
 *                                                        # a key in a map of config.json is written MAP.KEY
 *     rename:                                            # regular expressions, all applied in order to each name
 *       "^bert\\.": ""
 *       "\\.gamma$": ".weight"
 *     ignore: ["position_ids$", "^cls\\."]               # names of the file, as they stand there, that are not wanted
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "store.h"

G_BEGIN_DECLS

/**
 * weft_weights_load:
 * @report: (out) (optional) (transfer full): for each load, what was matched, missing and left over, as lines of text
 *
 * Loads what the networks of @pipeline name in `load:` into @store, which must have been prepared, and renews the copies (momentum
 * encoders) of what was loaded. Nothing is written unless everything fits.
 */
gboolean weft_weights_load (WeftStore *store, const WeftPipeline *pipeline, char **report, GError **error);

/**
 * weft_weights_load_network:
 * @load: as the value of `load:`
 *
 * The same for one network and any value, for example one built from the command line.
 */
gboolean weft_weights_load_network (WeftStore *store, const WeftPipeline *pipeline, const char *network, const WeftValue *load,
                                    GString *report, GError **error);

G_END_DECLS
