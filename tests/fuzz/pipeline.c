/* The pipeline language, from text to plans.
 *
 * Lines of %include and %settings divide the input: the pipeline, a file that it may include, and settings as on the command line, one a line.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "compose.h"
#include "open.h"
#include "pipeline.h"
#include "plan.h"
#include "recipe.h"
#include "registry.h"

#define MOST_SETTINGS 8

static const char *
folder (void)
{
  static char *path;
  if (path == NULL)
    {
      g_autofree char *name = g_strdup_printf ("weft-fuzz-pipeline-%d", (int) getpid ());
      path = g_build_filename (g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm" : g_get_tmp_dir (), name, NULL);
      g_assert (g_mkdir_with_parents (path, 0700) == 0);
    }
  return path;
}

static void
leave (void)
{
  g_autofree char *main_file = g_build_filename (folder (), "main.yaml", NULL), *part = g_build_filename (folder (), "part.yaml", NULL);
  unlink (main_file);
  unlink (part);
  rmdir (folder ());
}

/* The text up to a line that consists of @mark; @text goes on behind it, or to its end. */
static char *
cut (const char **text, const char *mark)
{
  const char *end = strstr (*text, mark);
  char *part = end != NULL ? g_strndup (*text, (gsize) (end - *text)) : g_strdup (*text);
  *text += end != NULL ? (gsize) (end - *text) + strlen (mark) : strlen (*text);
  return part;
}

static void
write_text (const char *path, const char *text)
{
  int file = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_assert (file >= 0 && write (file, text, strlen (text)) == (gssize) strlen (text) && close (file) == 0);
}

static void
plan_graphs (const WeftPipeline *pipeline)
{
  for (guint i = 0; i < pipeline->graphs->len; i++)
    {
      GError *error = NULL;
      g_autoptr (WeftPlan) plan = weft_plan_new (pipeline->graphs->pdata[i], &error);
      if (plan == NULL)
        fuzz_failed (error);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (weft_registry_find ("linear") == NULL)
    {
      weft_registry_load (NULL);
      atexit (leave);
    }
  g_autofree char *text = g_strndup ((const char *) data, size);
  const char *at = text;
  g_autofree char *main_text = cut (&at, "\n%include\n"), *part_text = cut (&at, "\n%settings\n");
  g_autofree char *main_file = g_build_filename (folder (), "main.yaml", NULL), *part = g_build_filename (folder (), "part.yaml", NULL);
  g_auto (GStrv) settings = g_strsplit (at, "\n", MOST_SETTINGS);
  write_text (main_file, main_text);
  write_text (part, part_text);

  g_autoptr (WeftProblems) problems = weft_problems_new ();
  const WeftComposition composition = { main_file, NULL, (const char *const *) settings, weft_pipeline_search () };
  g_autoptr (WeftValue) document = weft_compose (&composition, problems);
  g_autoptr (WeftPipeline) pipeline = document != NULL ? weft_pipeline_build (document, problems) : NULL;
  g_autoptr (WeftRecipe) recipe = pipeline != NULL ? weft_recipe_new (pipeline, problems) : NULL;
  g_assert (recipe != NULL || weft_problems_count (problems) > 0);
  if (recipe != NULL && weft_problems_count (problems) == 0)
    plan_graphs (pipeline);
  return 0;
}
