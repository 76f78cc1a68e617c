/* Trials: what there is to do, and what has been done.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "trials.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "digest.h"
#include "json.h"
#include "open.h"
#include "trials-private.h"

#define DIGITS 12

static void
number_clear (gpointer data)
{
  g_free (((WeftTrialNumber *) data)->name);
}

static void
trial_free (gpointer data)
{
  WeftTrial *trial = data;
  g_free (trial->digest);
  g_free (trial->directory);
  g_free (trial->why);
  g_array_unref (trial->numbers);
  g_free (trial);
}

void
weft_trial_say_why (WeftTrial *trial, WeftTrialState state, char *why)
{
  g_free (trial->why);
  trial->why = why;
  trial->state = state;
}

char **
weft_trial_settings (const WeftTrial *trial)
{
  GPtrArray *settings = g_ptr_array_new ();
  for (char **setting = trial->variant->settings; *setting; setting++)
    if (!g_str_has_prefix (*setting, "run.seed="))
      g_ptr_array_add (settings, g_strdup (*setting));
  g_ptr_array_add (settings, g_strdup_printf ("run.seed=%" G_GINT64_FORMAT, trial->seed));
  g_ptr_array_add (settings, NULL);
  return (char **) g_ptr_array_free (settings, FALSE);
}

static guint64
count_parameters (const WeftPipeline *pipeline)
{
  guint64 n = 0;
  for (guint i = 0; i < pipeline->variables->len; i++)
    {
      const WeftVariable *variable = pipeline->variables->pdata[i];
      for (guint k = 0; k < pipeline->networks->len && !variable->statistic; k++)
        {
          const char *name = ((const WeftNetwork *) pipeline->networks->pdata[k])->name;
          if (g_str_has_prefix (variable->path, name) && variable->path[strlen (name)] == '.')
            n += (guint64) weft_shape_bound_elements (&variable->shape);
        }
    }
  return n;
}

/* A directory that ends in the digest, whatever the variant was called when it was made. */
static char *
find_directory (const char *output, const char *digest)
{
  g_autofree char *ending = g_strdup_printf ("-%.*s", DIGITS, digest);
  g_autoptr (GDir) folder = g_dir_open (output, 0, NULL);
  for (const char *name; folder && (name = g_dir_read_name (folder));)
    if (g_str_has_suffix (name, ending))
      return g_build_filename (output, name, NULL);
  return NULL;
}

static char *
choose_directory (const char *output, const WeftTrial *trial)
{
  char *found = find_directory (output, trial->digest);
  if (found)
    return found;
  g_autofree char *name = g_strdup (trial->variant->name);
  g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_=.-", '-');
  return g_strdup_printf ("%s/%s-seed%" G_GINT64_FORMAT "-%.*s", output, name, trial->seed, DIGITS, trial->digest);
}

static void
read_numbers (JsonObject *object, GArray *numbers)
{
  g_autoptr (GList) names = json_object_get_members (object);
  g_array_set_size (numbers, 0);
  for (GList *name = names; name; name = name->next)
    {
      JsonNode *node = json_object_get_member (object, name->data);
      WeftTrialNumber number = { g_strdup (name->data), JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : (double) NAN };
      g_array_append_val (numbers, number);
    }
}

gboolean
weft_trial_parse_numbers (WeftTrial *trial, const char *text)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  if (!text || !json_parser_load_from_data (parser, text, -1, NULL) || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    return FALSE;
  read_numbers (json_node_get_object (json_parser_get_root (parser)), trial->numbers);
  return trial->numbers->len > 0;
}

/* What result.json says, if it belongs to this digest. */
static gboolean
read_result (WeftTrial *trial)
{
  g_autofree char *path = g_build_filename (trial->directory, "result.json", NULL);
  g_autoptr (JsonParser) parser = weft_json_load (path, NULL);
  if (!parser)
    return FALSE;
  JsonObject *object = json_node_get_object (json_parser_get_root (parser));
  JsonNode *numbers = json_object_get_member (object, "numbers");
  if (!json_object_has_member (object, "digest") || !numbers || !JSON_NODE_HOLDS_OBJECT (numbers)
      || g_strcmp0 (json_object_get_string_member (object, "digest"), trial->digest) != 0)
    return FALSE;
  read_numbers (json_node_get_object (numbers), trial->numbers);
  trial->step_seconds = json_object_has_member (object, "step_seconds") ? json_object_get_double_member (object, "step_seconds") : 0;
  return trial->numbers->len > 0;
}

gboolean
weft_trial_write_result (WeftTrial *trial, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%FT%TZ"), *path = g_build_filename (trial->directory, "result.json", NULL);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "digest");
  json_builder_add_string_value (builder, trial->digest);
  json_builder_set_member_name (builder, "variant");
  json_builder_add_string_value (builder, trial->variant->name);
  json_builder_set_member_name (builder, "seed");
  json_builder_add_int_value (builder, trial->seed);
  json_builder_set_member_name (builder, "finished");
  json_builder_add_string_value (builder, time);
  json_builder_set_member_name (builder, "parameters");
  json_builder_add_int_value (builder, (gint64) trial->parameters);
  json_builder_set_member_name (builder, "step_seconds");
  json_builder_add_double_value (builder, trial->step_seconds);
  json_builder_set_member_name (builder, "numbers");
  json_builder_begin_object (builder);
  for (guint i = 0; i < trial->numbers->len; i++)
    {
      const WeftTrialNumber *number = &g_array_index (trial->numbers, WeftTrialNumber, i);
      json_builder_set_member_name (builder, number->name);
      if (isfinite (number->value))
        json_builder_add_double_value (builder, number->value);
      else
        json_builder_add_null_value (builder);
    }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  json_generator_set_pretty (generator, TRUE);
  json_generator_set_root (generator, root);
  g_autofree char *text = json_generator_to_data (generator, NULL), *line = g_strconcat (text, "\n", NULL);
  return g_file_set_contents (path, line, -1, error);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return left < right ? -1 : left > right;
}

static double
member (JsonObject *object, const char *name)
{
  return json_object_has_member (object, name) ? json_object_get_double_member (object, name) : 0;
}

/* Between neighbouring lines of the training log; what lies between them and is no training makes no pair. */
double
weft_trial_step_seconds (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "metrics.jsonl", NULL), *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (JsonParser) parser = json_parser_new ();
  double step = 0, seconds = 0;
  gboolean before = FALSE;
  for (char **line = lines; *line; line++)
    {
      if (!**line || !json_parser_load_from_data (parser, *line, -1, NULL) || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
        continue;
      JsonObject *object = json_node_get_object (json_parser_get_root (parser));
      const char *phase = json_object_has_member (object, "phase") ? json_object_get_string_member (object, "phase") : "";
      gboolean train = strcmp (phase, "train") == 0;
      if (strcmp (phase, "histogram") == 0)
        continue;
      double next_step = member (object, "step"), next_seconds = member (object, "seconds");
      double each = (next_seconds - seconds) / (next_step - step);
      if (train && before && next_step > step && each > 0)
        g_array_append_val (times, each);
      before = train;
      step = next_step;
      seconds = next_seconds;
    }
  g_array_sort (times, compare_doubles);
  return times->len ? g_array_index (times, double, times->len / 2) : 0;
}

gint64
weft_trial_reached (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "checkpoints", NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  gint64 reached = -1;
  for (const char *name; folder && (name = g_dir_read_name (folder));)
    if (g_str_has_prefix (name, "step-") && g_str_has_suffix (name, ".safetensors"))
      reached = MAX (reached, g_ascii_strtoll (name + strlen ("step-"), NULL, 10));
  return reached;
}

static void
find_state (const WeftTrialOptions *options, GPtrArray *trials, WeftTrial *trial)
{
  for (guint i = 0; i < trials->len; i++)
    {
      WeftTrial *other = trials->pdata[i];
      if (other->digest && strcmp (other->digest, trial->digest) == 0)
        {
          trial->same = other;
          weft_trial_say_why (trial, WEFT_TRIAL_WAITING, g_strdup_printf ("the same run as %s", other->variant->name));
          return;
        }
    }
  trial->directory = choose_directory (options->output, trial);
  gint64 reached = weft_trial_reached (trial->directory);
  if (read_result (trial))
    weft_trial_say_why (trial, WEFT_TRIAL_DONE, g_strdup ("finished before"));
  else if (reached >= 0)
    weft_trial_say_why (trial, WEFT_TRIAL_WAITING, g_strdup_printf ("continued from step %" G_GINT64_FORMAT, reached));
  else
    weft_trial_say_why (trial, WEFT_TRIAL_WAITING, g_strdup ("trained"));
}

/* Returns: FALSE if the pipeline is wrong in a way that concerns everything */
static gboolean
prepare (const WeftTrialOptions *options, WeftTrial *trial, GString *messages)
{
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_autoptr (GError) error = NULL;
  g_auto (WeftOpened) opened = { 0 };
  g_auto (GStrv) settings = weft_trial_settings (trial);
  gboolean good = weft_open (options->pipeline, (const char *const *) trial->variant->overlays, (const char *const *) settings, NULL, TRUE,
                             &opened, problems);
  if (good && !opened.recipe->train_graph)
    weft_problems_add (problems, opened.recipe->mark, "there is nothing to train: `run:` needs `train: {graph: NAME, epochs: N}`");
  if (good && !opened.recipe->evaluate.given)
    weft_problems_add (problems, opened.recipe->mark, "there is nothing to compare: `run:` needs `evaluate: {graphs: [NAME, …]}`");
  if (!weft_problems_to_error (problems, &error))
    {
      g_auto (GStrv) lines = g_strsplit (error->message, "\n", 2);
      weft_trial_say_why (trial, WEFT_TRIAL_UNFIT, g_strdup_printf ("does not fit: %s", lines[0]));
      if (trial->variant->asked)
        g_string_append_printf (messages, "%s:\n%s\n", trial->variant->name, error->message);
      return !trial->variant->asked;
    }
  trial->digest = weft_pipeline_digest (opened.pipeline);
  trial->parameters = count_parameters (opened.pipeline);
  return TRUE;
}

static gint64
first_seed (const WeftTrialOptions *options)
{
  if (options->common->seed >= 0)
    return options->common->seed;
  g_autoptr (WeftProblems) problems = weft_problems_new ();
  g_auto (GStrv) settings = weft_cli_settings (options->common);
  g_autofree char *file = weft_pipeline_file (options->pipeline);
  WeftComposition composition = { file, (const char *const *) options->common->overlays, (const char *const *) settings,
                                  weft_pipeline_search () };
  g_autoptr (WeftValue) document = weft_compose (&composition, problems);
  const WeftValue *seed = document ? weft_value_at (document, "run.seed") : NULL;
  gint64 first = 0;
  return seed && weft_value_get_integer (seed, &first) ? first : 0;
}

GPtrArray *
weft_trials_new (const WeftTrialOptions *options, const GPtrArray *variants)
{
  g_autoptr (GPtrArray) trials = g_ptr_array_new_with_free_func (trial_free);
  g_autoptr (GString) messages = g_string_new (NULL);
  gint64 first = first_seed (options);
  gboolean good = TRUE;
  for (guint v = 0; v < variants->len; v++)
    for (gint64 s = 0; s < options->seeds; s++)
      {
        WeftTrial *trial = g_new0 (WeftTrial, 1);
        trial->variant = variants->pdata[v];
        trial->seed = first + s;
        trial->numbers = g_array_new (FALSE, FALSE, sizeof (WeftTrialNumber));
        g_array_set_clear_func (trial->numbers, number_clear);
        gboolean fits = prepare (options, trial, messages);
        good &= fits;
        if (trial->digest)
          find_state (options, trials, trial);
        g_ptr_array_add (trials, trial);
        if (!trial->digest)
          break; /* other seeds would not fit either */
      }
  if (good)
    return g_steal_pointer (&trials);
  fputs (messages->str, stderr);
  return NULL;
}
