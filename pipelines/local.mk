# Pipelines, installed as they are. Each folder has its own list.
pipelines_DATA =
pipelinemodulesdir = $(pipelinesdir)/modules
pipelinemodules_DATA =
pipelineweightsdir = $(pipelinesdir)/weights
pipelineweights_DATA =
EXTRA_DIST += $(pipelines_DATA) $(pipelinemodules_DATA) $(pipelineweights_DATA)
