/* Every size that comes from outside is bounded here, each bound with its reason. */
#ifndef CJ__BASE_LIMITS_H
#define CJ__BASE_LIMITS_H

#define CJ__MAX_NAME 200 /* event, channel, campaign, ... in bytes: a screen line */
#define CJ__MAX_IDENTIFIER 512        /* bytes: an e-mail has 254, device ids < 200 */
#define CJ__MAX_IDENTIFIERS 16        /* per event: there are 8 kinds */
#define CJ__MAX_KEY 200               /* session, order id, message id, in bytes */
#define CJ__MAX_PROPERTIES 32768      /* bytes of JSON per event: Segment's own limit */
#define CJ__MAX_TRAITS 128            /* per identify */
#define CJ__MAX_ITEMS 10000           /* per order: wholesale invoices reach 1,114 */
#define CJ__MAX_JSON_DEPTH 32         /* deeper is an attack, not a shop */
#define CJ__MAX_MESSAGE 1048576       /* bytes of one JSON message or CSV line */
#define CJ__MAX_BATCH 1000000         /* events per cj_record_many */
#define CJ__MAX_TIME_MS 4102444800000 /* 2100-01-01: later is a unit mistake */
#define CJ__MAX_QUANTITY 1000000000000 /* 10^12: leaves room to multiply */
#define CJ__MAX_VALUE 1000000000000000 /* 10^15 minor: sums of 9,000 fit int64 */
#define CJ__MAX_NODES 4294967294u      /* node ids are 32 bits on disk */
#define CJ__MAX_THREADS 64
#define CJ__MAX_STRUCT 65536  /* bytes of an options struct: more is an unset field */
#define CJ__MAX_SEGMENT 65536 /* bytes of a segment's text: a page of it has 3,000 */
#define CJ__LIVE_CACHE                                                                 \
    ((int64_t)64 << 20) /* bytes of hot profiles: a day's customers */
#define CJ__KEPT_CORES_BYTES                                                           \
    ((size_t)16 << 20) /* of a handle: some hundred blocks that few rows are asked of  \
                        */
#define CJ__KEPT_ZONES_BYTES                                                           \
    ((size_t)8 << 20) /* 10 million events of a shop with 5,000 products */
#define CJ__KEPT_NODES_BYTES                                                           \
    ((size_t)8 << 20)                         /* all blocks of a year of those events */
#define CJ__KEPT_ROWS_BYTES ((size_t)8 << 20) /* 2,000 profiles of 20 events */
#define CJ__TAIL_BYTES                                                                 \
    ((size_t)16 << 20)       /* of unsealed rows: twice what seal_events lets wait */
#define CJ__MAX_LIVE 1000    /* live segments: each looks at what is recorded */
#define CJ__MAX_FEED 1000000 /* rows of one look at the feed */
#define CJ__MAX_SEGMENT_DEPTH 32   /* conditions within conditions: read by people */
#define CJ__MAX_SEGMENT_NODES 1024 /* values of lists aside: each is evaluated */
#define CJ__MAX_SEGMENT_LIST 10000 /* values: longer ones are static lists */
#define CJ__MAX_SEGMENT_STEPS 16   /* of a sequence: each walks the events again */
#define CJ__MAX_SEGMENT_NUMBER 40  /* characters: a double has 17 digits */
#define CJ__MAX_SEGMENT_DAYS 47482 /* of a duration: CJ__MAX_TIME_MS in days */
#define CJ__MAX_SEGMENT_JSON 100   /* levels: a part of a segment takes two */
#define CJ__MAX_OVERLAP                                                                \
    16 /* segments at once: 65,536 combinations are enough to read */
#define CJ__MAX_COMPARE 10000 /* values of a trait: more are names, not groups */
#define CJ__MAX_COMPARE_ROWS ((size_t)1 << 24) /* products and all: 1 GB of counts */
#define CJ__MAX_SIZES 10000                    /* moments: 27 years of days */
#define CJ__MAX_SEGMENT_PERIODS 1000000        /* of regularly(): days of 2,700 years */

#endif
