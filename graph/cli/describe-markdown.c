/* Descriptors written out as pages of the manual.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "describe.h"

static void
print_ports (FILE *to, const char *title, const WeftPort *ports)
{
  if (!ports || !ports[0].name)
    return;
  fprintf (to, "\n%s:\n\n", title);
  for (; ports->name; ports++)
    {
      g_autofree char *flags = weft_describe_flags (ports);
      fprintf (to, "- `%s`", ports->name);
      if (ports->signature)
        fprintf (to, " `%s`", ports->signature);
      fprintf (to, ": %s%s%s%s\n", ports->meaning ? ports->meaning : "", *flags ? " (" : "", flags, *flags ? ")" : "");
    }
}

static void
print_code (FILE *to, const char *title, const char *text)
{
  if (text)
    fprintf (to, "\n%s:\n\n```yaml\n%s%s```\n", title, text, g_str_has_suffix (text, "\n") ? "" : "\n");
}

void
weft_describe_operator_markdown (const WeftOperator *op, FILE *to)
{
  g_autofree char *gradient = weft_describe_gradient (op);

  fprintf (to, "\n### %s\n\n%s. Version %u.\n", op->name, op->summary ? op->summary : "", op->version);
  if (op->documentation)
    fprintf (to, "\n%s\n", op->documentation);
  print_ports (to, "Inputs", op->inputs);
  print_ports (to, "Outputs", op->outputs);
  if (op->attributes && op->attributes[0].name)
    fprintf (to, "\nAttributes:\n\n");
  for (const WeftAttribute *attribute = op->attributes; attribute && attribute->name; attribute++)
    {
      g_autofree char *kind = weft_describe_attribute (attribute);
      fprintf (to, "- `%s` (%s): %s\n", attribute->name, kind, attribute->meaning ? attribute->meaning : "");
    }
  print_ports (to, "Parameters", op->parameters);
  print_ports (to, "States", op->states);
  fprintf (to, "\nGradient: %s.\n", gradient);
  if (op->in_place && op->in_place[0])
    {
      g_autofree char *pairs = g_strjoinv (", ", (char **) op->in_place);
      fprintf (to, "\nMay work in place: %s.\n", pairs);
    }
  if (op->forward_part)
    fprintf (to, "\nBy parts: single %s.\n", op->parts == WEFT_PARTS_ROWS ? "rows" : "elements");
  if (op->announces_parts)
    fprintf (to, "\nAnnounces parts of its result.\n");
  if (op->source)
    fprintf (to, "\nAfter %s.\n", op->source);
  print_code (to, "Composition", op->composition);
  print_code (to, "Example", op->example);
}
