/* weft weights: what a file of weights holds.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <json-glib/json-glib.h>

#include "cli.h"
#include "tensor-file.h"

static char *
print_shape (const WeftTensor *tensor)
{
  GString *text = g_string_new ("[");
  for (guint d = 0; d < tensor->rank; d++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, d ? ", " : "", tensor->shape[d]);
  return g_string_free (g_string_append_c (text, ']'), FALSE);
}

static void
print_table (const WeftTensorFile *file)
{
  guint count = 0, width = 0;
  gint64 numbers = 0;
  for (const char *const *name = weft_tensor_file_names (file); *name != NULL; name++)
    width = MAX (width, (guint) g_utf8_strlen (*name, -1));
  for (const char *const *name = weft_tensor_file_names (file); *name != NULL; name++, count++)
    {
      const WeftTensor *tensor = weft_tensor_file_find (file, *name);
      g_autofree char *shape = print_shape (tensor);
      printf ("%s%*s  %-4s  %s\n", *name, (int) (width - (guint) g_utf8_strlen (*name, -1)), "", weft_type_name (tensor->type), shape);
      numbers += weft_tensor_elements (tensor);
    }
  printf ("%s: %u tensors, %" G_GINT64_FORMAT " numbers\n", weft_tensor_file_form (file), count, numbers);
}

static void
print_json (const WeftTensorFile *file)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  for (const char *const *name = weft_tensor_file_names (file); *name != NULL; name++)
    {
      const WeftTensor *tensor = weft_tensor_file_find (file, *name);
      json_builder_set_member_name (builder, *name);
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "type");
      json_builder_add_string_value (builder, weft_type_name (tensor->type));
      json_builder_set_member_name (builder, "shape");
      json_builder_begin_array (builder);
      for (guint d = 0; d < tensor->rank; d++)
        json_builder_add_int_value (builder, tensor->shape[d]);
      json_builder_end_array (builder);
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);
  printf ("%s\n", text);
}

int
weft_cli_weights (int argc, char **argv)
{
  WeftCommonOptions common;
  gboolean json = FALSE;
  int status = 0;
  const GOptionEntry own[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print names, types and shapes as JSON", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  if (!weft_cli_parse_options (&argc, &argv, "FILE",
                               "Lists the tensors of a file of weights: safetensors, PyTorch's (.pth, .pt, .bin; nothing "
                               "in it is executed), or an index of several parts.",
                               own, &common, &status))
    return status;
  weft_cli_options_clear (&common);
  if (argc != 2)
    return weft_cli_usage ("weights: expected one file; see `weft weights --help`");
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftTensorFile) file = weft_tensor_file_open (argv[1], &error);
  if (file == NULL)
    {
      fprintf (stderr, "weft: %s\n", error->message);
      return WEFT_EXIT_INPUT;
    }
  (json ? print_json : print_table) (file);
  return 0;
}
