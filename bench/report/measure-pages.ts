/** A column of a table that shows a figure. */
export interface FigureColumn {
  readonly figure: string;
  /** Without the unit, which comes from the samples. */
  readonly title: string;
  /** Replaces the unit of the samples if that does not help a reader. */
  readonly unit?: string;
  /** Whether a column with the ratio to the raw loop follows. */
  readonly ratio?: boolean;
  /** Whether less is better. Default: what the unit says. `none` marks no value as the best. */
  readonly better?: 'less' | 'none';
}

/** The layout of a measure's table. */
export interface TablePlan {
  readonly figures: readonly FigureColumn[];
  /** The title of the values of `at`, if the measure varies something: `workers`. */
  readonly by?: string;
  /** Whether contenders are columns and values of `at` are rows. Default: a row for each contender and value. */
  readonly across?: boolean;
}

/** The layout of a measure's section. */
export interface MeasurePage {
  readonly id: string;
  readonly title: string;
  readonly tables: readonly TablePlan[];
  /** File names of its plots, without `.svg`. */
  readonly plots?: readonly string[];
}

/** The layout of each measure's section, in the order of the page. */
export const MEASURE_PAGES: readonly MeasurePage[] = [
  {
    id: 'drain',
    title: 'Drain of no-op tasks',
    tables: [
      {
        figures: [
          { figure: 'throughput', title: 'throughput', ratio: true },
          { figure: 'cpu', title: 'CPU', ratio: true },
          { figure: 'peak-memory', title: 'peak memory' },
        ],
      },
    ],
    plots: ['drain-throughput', 'drain-cpu'],
  },
  {
    id: 'mixed-queued',
    title: 'Mixed tasks, all queued at once',
    tables: [
      {
        figures: [
          { figure: 'makespan', title: 'makespan' },
          { figure: 'makespan-to-ideal', title: 'ratio to ideal', unit: '', better: 'less' },
          { figure: 'fast-p50', title: 'fast tasks, p50' },
          { figure: 'fast-p99', title: 'fast tasks, p99', ratio: true },
        ],
      },
    ],
    plots: ['mixed-queued'],
  },
  {
    id: 'mixed-open',
    title: 'Mixed tasks as they come',
    tables: [
      {
        figures: [
          { figure: 'fast-p50', title: 'fast tasks, p50' },
          { figure: 'fast-p99', title: 'fast tasks, p99', ratio: true },
        ],
      },
    ],
    plots: ['mixed-open'],
  },
  {
    id: 'beside-slow',
    title: 'Short tasks beside slow ones',
    tables: [
      {
        figures: [
          { figure: 'short-p50', title: 'wait of short tasks, p50' },
          { figure: 'short-p99', title: 'wait of short tasks, p99' },
          { figure: 'slow-to-ideal', title: 'slow tasks, ratio to ideal', unit: '', better: 'less' },
        ],
      },
    ],
  },
  {
    id: 'send',
    title: 'Sends from one process',
    tables: [
      {
        figures: [
          { figure: 'throughput', title: 'throughput' },
          { figure: 'requests', title: 'requests', better: 'none' },
        ],
        by: 'in flight',
      },
    ],
  },
  {
    id: 'idle-latency',
    title: 'From send to start when idle',
    tables: [
      {
        figures: [
          { figure: 'start-p50', title: 'p50', ratio: true },
          { figure: 'start-p99', title: 'p99' },
        ],
      },
    ],
  },
  {
    id: 'crash',
    title: 'A killed worker',
    tables: [{ figures: [{ figure: 'redelivery', title: 'until all tasks are done' }] }],
  },
  {
    id: 'idle-requests',
    title: 'Requests when idle',
    tables: [
      {
        figures: [
          { figure: 'requests', title: 'requests', better: 'none' },
          { figure: 'queues-polled', title: 'queues polled', unit: '', better: 'none' },
        ],
        by: 'queues',
      },
      {
        figures: [{ figure: 'requests-concurrency', title: 'requests', better: 'none' }],
        by: 'concurrency',
        across: true,
      },
    ],
  },
  {
    id: 'requests',
    title: 'Requests per task at full load',
    tables: [
      {
        figures: ['send-to-delete', 'send', 'receive', 'delete', 'other'].map((figure) => ({
          figure,
          title: figure.replaceAll('-', ' '),
          better: figure === 'send-to-delete' ? 'less' : 'none',
        })),
      },
    ],
  },
  {
    id: 'scaling',
    title: 'From 1 to 10 workers',
    tables: [{ figures: [{ figure: 'throughput', title: '', better: 'none' }], by: 'workers', across: true }],
    plots: ['scaling'],
  },
  {
    id: 'tracked',
    title: 'Tracked tasks against untracked ones',
    tables: [
      {
        figures: [
          { figure: 'throughput', title: 'throughput', better: 'none' },
          { figure: 'cpu', title: 'CPU', better: 'none' },
          { figure: 'writes', title: 'writes', better: 'none' },
          { figure: 'sending-writes', title: 'writes of the sender', better: 'none' },
        ],
      },
    ],
  },
  {
    id: 'first-run',
    title: 'The first run',
    tables: [
      {
        figures: [
          { figure: 'first-202', title: '`npm start` to the first 202', better: 'none' },
          { figure: 'first-test-line', title: '`npm test` to its first line', better: 'none' },
        ],
      },
    ],
  },
  {
    id: 'http',
    title: 'POST /orders',
    tables: [
      {
        figures: [
          { figure: 'throughput', title: 'throughput', better: 'none' },
          { figure: 'p50', title: 'p50', better: 'none' },
          { figure: 'p99', title: 'p99', better: 'none' },
          { figure: 'cpu', title: 'CPU per request', better: 'none' },
        ],
      },
    ],
  },
  {
    id: 'bundle',
    title: 'Bundles and the cost of their import',
    tables: [
      {
        figures: [
          { figure: 'size', title: 'size', better: 'none' },
          { figure: 'import-cpu', title: 'CPU of the import', better: 'none' },
        ],
      },
    ],
  },
  {
    id: 'memory',
    title: 'Memory of each service',
    tables: [
      {
        figures: [{ figure: 'resident', title: '', better: 'none' }],
        by: 'orders before',
        across: true,
      },
    ],
  },
  growth('growth-queued', 'Cost by the length of the queue', 'queued'),
  growth('growth-concurrency', 'Cost by concurrency', 'concurrency'),
  growth('growth-envelope', 'Cost by the size of a message', 'bytes'),
  {
    id: 'growth-run',
    title: 'Memory over a run of a million tasks',
    tables: [
      { figures: [{ figure: 'resident', title: '', better: 'none' }], by: 'tasks done', across: true },
    ],
    plots: ['growth-run'],
  },
];

function growth(id: string, title: string, by: string): MeasurePage {
  const figures: FigureColumn[] = [
    { figure: 'cpu', title: 'CPU', better: 'none' },
    { figure: 'throughput', title: 'throughput', better: 'none' },
  ];
  return {
    id,
    title,
    tables: figures.map((figure) => ({ figures: [figure], by, across: true })),
    plots: [id],
  };
}
