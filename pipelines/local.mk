# Pipelines, installed as they are. Each folder has its own list.
pipelines_DATA = \
	pipelines/clip-features.yaml \
	pipelines/clip-zero-shot.yaml \
	pipelines/scenes-words.txt \
	pipelines/scenes.yaml \
	pipelines/user-clip1000.yaml \
	pipelines/user-coco-cge.yaml \
	pipelines/user-coco-ensemble.yaml \
	pipelines/user-coco.yaml \
	pipelines/user-f30k-bigru.yaml \
	pipelines/user-f30k-cge.yaml \
	pipelines/user-f30k-ensemble.yaml \
	pipelines/user-f30k.yaml \
	pipelines/user-f8k-bigru.yaml \
	pipelines/user-f8k-small.yaml \
	pipelines/user-photos.yaml \
	pipelines/vse-infinity-f30k-bigru.yaml \
	pipelines/vse-infinity-f30k.yaml
pipelinemodulesdir = $(pipelinesdir)/modules
pipelinemodules_DATA = \
	pipelines/modules/bert.yaml \
	pipelines/modules/bigru.yaml \
	pipelines/modules/clip-guidance.yaml \
	pipelines/modules/clip.yaml \
	pipelines/modules/projection.yaml \
	pipelines/modules/region-encoder.yaml \
	pipelines/modules/retrieval.yaml
pipelineablationsdir = $(pipelinesdir)/ablations
pipelineablations_DATA = \
	pipelines/ablations/batch-weight.yaml \
	pipelines/ablations/cge.yaml \
	pipelines/ablations/info-nce.yaml \
	pipelines/ablations/margin.yaml \
	pipelines/ablations/max-pooling.yaml \
	pipelines/ablations/mean-pooling.yaml \
	pipelines/ablations/momentum.yaml \
	pipelines/ablations/no-momentum.yaml \
	pipelines/ablations/no-negatives.yaml \
	pipelines/ablations/no-queue.yaml \
	pipelines/ablations/no-sge.yaml \
	pipelines/ablations/queue-length.yaml \
	pipelines/ablations/queue-only.yaml \
	pipelines/ablations/scale.yaml \
	pipelines/ablations/triplet.yaml
pipelinelooksdir = $(pipelinesdir)/looks
pipelinelooks_DATA = \
	pipelines/looks/answers.yaml \
	pipelines/looks/sheet.yaml \
	pipelines/looks/similarities.yaml
pipelineweightsdir = $(pipelinesdir)/weights
pipelineweights_DATA = \
	pipelines/weights/bert.yaml \
	pipelines/weights/clip.yaml \
	pipelines/weights/user-image.yaml \
	pipelines/weights/user-text.yaml
EXTRA_DIST += $(pipelines_DATA) $(pipelineablations_DATA) $(pipelinelooks_DATA) $(pipelinemodules_DATA) $(pipelineweights_DATA)
