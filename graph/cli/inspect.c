/* weft inspect: what a descriptor says, laid out for reading.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char *
module_name (const WeftOperator *operator)
{
  const WeftModule *module = weft_registry_module_of (operator);

  return module ? module->name : "core";
}

static void
list_module (const char *name)
{
  guint n;
  const WeftOperator *const *operators = weft_registry_operators (&n);

  printf ("%s\n", name);
  for (guint i = 0; i < n; i++)
    if (strcmp (module_name (operators[i]), name) == 0)
      printf ("  %-22s %s\n", operators[i]->name, operators[i]->summary);
}

static void
list_all (void)
{
  list_module ("core");
  for (guint i = 0; i < weft_registry_modules ()->len; i++)
    {
      const WeftLoaded *loaded = weft_registry_modules ()->pdata[i];
      if (loaded->module)
        list_module (loaded->module->name);
    }
}

static void
print_ports (const char *title, const WeftPort *ports)
{
  if (!ports || !ports[0].name)
    return;
  printf ("\n%s\n", title);
  for (; ports->name; ports++)
    {
      printf ("  %-16s %-28s %s", ports->name, ports->signature ? ports->signature : "", ports->meaning ? ports->meaning : "");
      if (ports->flags & WEFT_PORT_OPTIONAL)
        printf (" (optional)");
      if (ports->flags & WEFT_PORT_VARIADIC)
        printf (" (several)");
      if (ports->flags & WEFT_PORT_READ)
        printf (" [read by backward]");
      if (ports->initial)
        printf (" [starts as %s]", ports->initial);
      printf ("\n");
    }
}

static void
print_attributes (const WeftAttribute *attributes)
{
  static const char *const kinds[] = { "", "integer", "number", "true/false", "text", "path", "word", "map of numbers", "list of texts" };

  if (!attributes || !attributes[0].name)
    return;
  printf ("\nAttributes\n");
  for (; attributes->name; attributes++)
    {
      printf ("  %-16s %-14s %-12s %s", attributes->name, kinds[attributes->kind],
              !attributes->fallback   ? "required"
              : *attributes->fallback ? attributes->fallback
                                      : "none",
              attributes->meaning);
      if (attributes->minimum != attributes->maximum)
        printf (" (%g to %g)", attributes->minimum, attributes->maximum);
      for (guint i = 0; attributes->choices && attributes->choices[i]; i++)
        printf ("%s%s%s", i ? ", " : " (", attributes->choices[i], attributes->choices[i + 1] ? "" : ")");
      printf ("%s\n", attributes->scheduled ? " (may be a schedule)" : "");
    }
}

static void
print_operator (const WeftOperator *operator)
{
  printf ("%s, version %u, of %s: %s\n", operator->name, operator->version, module_name (operator), operator->summary);
  if (operator->documentation)
    printf ("\n%s\n", operator->documentation);
  if (operator->source)
    printf ("\nSource: %s\n", operator->source);
  print_ports ("Inputs", operator->inputs);
  print_ports ("Outputs", operator->outputs);
  print_attributes (operator->attributes);
  print_ports ("Parameters", operator->parameters);
  print_ports ("States", operator->states);
  print_ports ("Kept for backward", operator->saved);
  if (operator->not_differentiable)
    printf ("\nNo gradient: %s\n", operator->not_differentiable);
  if (operator->composition)
    printf ("\nComposition\n%s", operator->composition);
  if (operator->example)
    printf ("\nExample\n%s", operator->example);
}

int
weft_cli_inspect (int argc, char **argv)
{
  WeftCommonOptions common;
  int status = 0;

  if (!weft_cli_parse (&argc, &argv, "[OPERATOR…]", "Shows what operators take, give and mean; without arguments, lists all.", NULL,
                       &common, &status))
    return status;
  weft_cli_options_clear (&common);
  if (argc < 2)
    list_all ();
  for (int i = 1; i < argc; i++)
    {
      const WeftOperator *operator= weft_registry_find (argv[i]);
      if (operator)
        print_operator (operator);
      else
        {
          g_autofree char *hint = weft_suggestion (argv[i], weft_registry_names ());
          fprintf (stderr, "weft inspect: there is no operator \"%s\"%s\n", argv[i], hint);
          status = WEFT_EXIT_INPUT;
        }
    }
  return status;
}
