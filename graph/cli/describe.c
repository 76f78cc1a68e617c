/* Descriptors written out for reading.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "describe.h"

#include <string.h>

#include "attributes.h"

#define WIDTH 100
#define NAMES 18 /* width of the column of names */

const char *
weft_describe_room (const WeftOperator *op)
{
  const WeftModule *module = weft_registry_module_of (op);

  return module ? module->name : "core";
}

static void
add_word (GString *words, const char *word)
{
  if (words->len)
    g_string_append (words, ", ");
  g_string_append (words, word);
}

char *
weft_describe_flags (const WeftPort *port)
{
  static const struct
  {
    guint flag;
    const char *word;
  } flags[] = { { WEFT_PORT_OPTIONAL, "optional" },        { WEFT_PORT_VARIADIC, "several" },
                { WEFT_PORT_READ, "read by backward" },    { WEFT_PORT_CONSTANT, "no gradient" },
                { WEFT_PORT_WEIGHTS, "a set of weights" }, { WEFT_PORT_STATE_OF, "names the node whose states are used" },
                { WEFT_PORT_OBJECTIVE, "is minimized" } };
  GString *words = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if (port->flags & flags[i].flag)
      add_word (words, flags[i].word);
  if (port->initial)
    {
      g_autofree char *starts = g_strdup_printf ("starts as %s", port->initial);
      add_word (words, starts);
    }
  if (port->when)
    {
      g_autofree char *when = g_strdup_printf ("only if %s%s", port->when[0] == '!' ? "not " : "", port->when + (port->when[0] == '!'));
      add_word (words, when);
    }
  if (port->shows)
    {
      g_autofree char *shows = g_strdup_printf ("is the memory of state %s", port->shows);
      add_word (words, shows);
    }
  return g_string_free (words, FALSE);
}

char *
weft_describe_attribute (const WeftAttribute *attribute)
{
  static const char *const kinds[] = { "?",    "integer", "number",         "true or false", "text",
                                       "path", "one of",  "map of numbers", "list of texts" };
  GString *words = g_string_new (attribute->kind < G_N_ELEMENTS (kinds) ? kinds[attribute->kind] : "?");

  for (guint i = 0; attribute->choices && attribute->choices[i]; i++)
    g_string_append_printf (words, "%s %s", i ? "," : "", attribute->choices[i]);
  if (attribute->minimum != attribute->maximum)
    g_string_append_printf (words, ", %.10g to %.10g", attribute->minimum, attribute->maximum);
  if (weft_attribute_is_written (attribute))
    g_string_append (words, ", written");
  else if (attribute->unit && *attribute->unit)
    g_string_append_printf (words, ", in %s", attribute->unit);
  if (!attribute->fallback)
    g_string_append (words, ", required");
  else
    g_string_append_printf (words, ", default %s", *attribute->fallback ? attribute->fallback : "none");
  if (attribute->scheduled)
    g_string_append (words, ", or a schedule");
  return g_string_free (words, FALSE);
}

static gboolean
carries_gradients (const WeftOperator *op)
{
  for (const WeftPort *port = op->inputs; port && port->name; port++)
    if (port->signature && g_str_has_prefix (port->signature, "f32") && !(port->flags & WEFT_PORT_CONSTANT))
      return TRUE;
  return op->parameters && op->parameters[0].name;
}

char *
weft_describe_gradient (const WeftOperator *op)
{
  g_autoptr (GString) reads = g_string_new (NULL);
  const WeftPort *const lists[] = { op->inputs, op->outputs, op->parameters, op->saved };

  if (op->not_differentiable)
    return g_strdup_printf ("none: %s", op->not_differentiable);
  if (!op->forward)
    return g_strdup ("that of its composition");
  if (op->passes_gradient)
    return g_strdup ("yes: that of the output, as it is");
  if (!op->backward)
    return g_strdup ("none");
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    for (const WeftPort *port = lists[i]; port && port->name; port++)
      if ((port->flags & WEFT_PORT_READ) || lists[i] == op->saved)
        add_word (reads, port->name);
  return g_strdup_printf ("%s; backward reads %s", carries_gradients (op) ? "yes" : "of its parameters",
                          reads->len ? reads->str : "only the gradients by the outputs");
}

/* Paragraphs broken at @WIDTH, continued @indent columns to the right. */
static void
print_wrapped (FILE *to, const char *text, guint column, guint indent)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  for (guint i = 0; words[i]; i++)
    {
      const char *break_at = strrchr (words[i], '\n');
      guint width = (guint) g_utf8_strlen (words[i], -1);
      if (i && column + 1 + width > WIDTH && column > indent)
        {
          fprintf (to, "\n%*s", (int) indent, "");
          column = indent;
        }
      else if (i)
        {
          fputc (' ', to);
          column++;
        }
      fputs (words[i], to);
      column = break_at ? (guint) g_utf8_strlen (break_at + 1, -1) : column + width;
    }
  fputc ('\n', to);
}

/* printf() pads bytes; columns are characters. */
static guint
print_padded (FILE *to, const char *text, guint width)
{
  guint length = (guint) g_utf8_strlen (text, -1);

  fprintf (to, "%s%*s", text, length < width ? (int) (width - length) : 0, "");
  return MAX (length, width);
}

static void
print_ports (FILE *to, const char *title, const WeftPort *ports)
{
  if (!ports || !ports[0].name)
    return;
  fprintf (to, "\n%s\n", title);
  for (; ports->name; ports++)
    {
      g_autofree char *flags = weft_describe_flags (ports);
      guint column = 2;
      fputs ("  ", to);
      column += print_padded (to, ports->name, NAMES);
      fputc (' ', to);
      column += 1 + print_padded (to, ports->signature ? ports->signature : "", 22);
      fputc (' ', to);
      g_autofree char *text =
          g_strdup_printf ("%s%s%s%s", ports->meaning ? ports->meaning : "", *flags ? " [" : "", flags, *flags ? "]" : "");
      print_wrapped (to, text, column + 1, NAMES + 5);
    }
}

static void
print_attributes (FILE *to, const WeftAttribute *attributes)
{
  if (!attributes || !attributes[0].name)
    return;
  fprintf (to, "\nAttributes\n");
  for (; attributes->name; attributes++)
    {
      g_autofree char *kind = weft_describe_attribute (attributes);
      g_autofree char *text = g_strdup_printf ("%s (%s)", attributes->meaning ? attributes->meaning : "", kind);
      guint column = 2;
      fputs ("  ", to);
      column += print_padded (to, attributes->name, NAMES);
      fputc (' ', to);
      print_wrapped (to, text, column + 1, NAMES + 5);
    }
}

static void
print_slots (FILE *to, const WeftSlot *slots)
{
  if (!slots || !slots[0].name)
    return;
  fprintf (to, "\nKept for every weight\n");
  for (; slots->name; slots++)
    {
      fprintf (to, "  %-*s %s%s%s%s", NAMES, slots->name, slots->copy ? "starts as a copy" : "starts as zeros",
               slots->statistics ? ", for statistics too" : "", slots->weights ? ", used as weights through " : "",
               slots->weights ? slots->weights : "");
      fprintf (to, "%s%s\n", slots->when ? ", only if " : "", slots->when ? slots->when : "");
    }
}

static void
print_block (FILE *to, const char *title, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text ? text : "", "\n", -1);

  if (!text)
    return;
  fprintf (to, "\n%s\n", title);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i])
      fprintf (to, "  %s\n", lines[i]);
}

static void
print_character (FILE *to, const WeftOperator *op)
{
  g_autofree char *gradient = weft_describe_gradient (op);

  fprintf (to, "\nGradient: ");
  print_wrapped (to, gradient, 10, 10);
  if (op->in_place && op->in_place[0])
    {
      g_autofree char *pairs = g_strjoinv (", ", (char **) op->in_place);
      fprintf (to, "In place (input=output that may share memory): %s\n", pairs);
    }
  if (op->forward_part)
    fprintf (to, "By parts: single %s, while they are in cache where it comes after an operator that announces parts\n",
             op->parts == WEFT_PARTS_ROWS ? "rows" : "elements");
  if (op->announces_parts)
    fprintf (to, "Announces parts of its result, which operators by parts then work on\n");
  if (op->effect)
    fprintf (to, "Has an effect besides its outputs: never left out for lack of readers\n");
  if (op->is_source)
    fprintf (to, "Source: gives items until its pass is over\n");
  if (!op->forward)
    fprintf (to, "Computed by its composition\n");
}

void
weft_describe_operator_text (const WeftOperator *op, FILE *to)
{
  fprintf (to, "%s (%s, version %u): ", op->name, weft_describe_room (op), op->version);
  print_wrapped (to, op->summary ? op->summary : "", 0, 2);
  print_ports (to, "Inputs", op->inputs);
  print_ports (to, "Outputs", op->outputs);
  print_attributes (to, op->attributes);
  print_ports (to, "Parameters", op->parameters);
  print_ports (to, "States", op->states);
  print_ports (to, "Kept for backward", op->saved);
  print_slots (to, op->slots);
  print_character (to, op);
  if (op->documentation)
    {
      fputc ('\n', to);
      print_wrapped (to, op->documentation, 0, 0);
    }
  if (op->source)
    {
      fputs ("\nAfter: ", to);
      print_wrapped (to, op->source, 7, 7);
    }
  print_block (to, "Composition", op->composition);
  print_block (to, "Example", op->example);
}

void
weft_describe_module_text (const WeftLoaded *loaded, FILE *to)
{
  const WeftModule *module = loaded->module;
  guint n;
  const WeftOperator *const *operators = weft_registry_operators (&n);

  if (!module)
    {
      fprintf (to, "%s was refused: it %s\n", loaded->path, loaded->refused);
      return;
    }
  fprintf (to, "module %s %s: %s\n", module->name, module->version, module->summary);
  fprintf (to, "  file %s, operator interface %u.%u\n", loaded->path, module->interface_major, module->interface_minor);
  for (guint i = 0; i < n; i++)
    if (weft_registry_module_of (operators[i]) == module)
      {
        fputs ("  ", to);
        guint column = 2 + print_padded (to, operators[i]->name, 20);
        fputc (' ', to);
        print_wrapped (to, operators[i]->summary ? operators[i]->summary : "", column + 1, 23);
      }
}

static void
print_map (FILE *to, const char *title, const WeftValue *map)
{
  if (!map || !weft_value_length (map))
    return;
  fprintf (to, "\n%s\n", title);
  for (guint i = 0; i < weft_value_length (map); i++)
    {
      g_autofree char *printed = weft_document_print (weft_value_item (map, i));
      g_strchomp (printed);
      fprintf (to, "  %-*s %s\n", NAMES, weft_value_key (map, i), strcmp (printed, "null") == 0 ? "required" : printed);
    }
}

void
weft_describe_body_text (const char *name, const char *file, const WeftValue *body, FILE *to)
{
  const WeftValue *about = weft_value_lookup (body, "about"), *nodes = weft_value_lookup (body, "nodes");

  fprintf (to, "%s (module of %s): %s\n", name, file, about ? weft_value_text (about) : "");
  print_map (to, "Inputs", weft_value_lookup (body, "inputs"));
  print_map (to, "Attributes", weft_value_lookup (body, "attributes"));
  print_map (to, "Outputs", weft_value_lookup (body, "outputs"));
  if (nodes)
    {
      g_autofree char *printed = weft_document_print (nodes);
      print_block (to, "Nodes", printed);
    }
}
