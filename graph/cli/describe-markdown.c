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
weft_describe_operator_markdown (const WeftOperator *operator, FILE * to)
{
  g_autofree char *gradient = weft_describe_gradient (operator);

  fprintf (to, "\n### %s\n\n%s. Version %u.\n", operator->name, operator->summary ? operator->summary : "", operator->version);
  if (operator->documentation)
    fprintf (to, "\n%s\n", operator->documentation);
  print_ports (to, "Inputs", operator->inputs);
  print_ports (to, "Outputs", operator->outputs);
  if (operator->attributes && operator->attributes[0].name)
    fprintf (to, "\nAttributes:\n\n");
  for (const WeftAttribute *attribute = operator->attributes; attribute && attribute->name; attribute++)
    {
      g_autofree char *kind = weft_describe_attribute (attribute);
      fprintf (to, "- `%s` (%s): %s\n", attribute->name, kind, attribute->meaning ? attribute->meaning : "");
    }
  print_ports (to, "Parameters", operator->parameters);
  print_ports (to, "States", operator->states);
  fprintf (to, "\nGradient: %s.\n", gradient);
  if (operator->in_place && operator->in_place[0])
    {
      g_autofree char *pairs = g_strjoinv (", ", (char **) operator->in_place);
      fprintf (to, "\nMay work in place: %s.\n", pairs);
    }
  if (operator->source)
    fprintf (to, "\nAfter %s.\n", operator->source);
  print_code (to, "Composition", operator->composition);
  print_code (to, "Example", operator->example);
}
