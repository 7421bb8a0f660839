/** A figure as a column of a table. */
export interface FigureColumn {
  readonly figure: string;
  /** Without its unit, which the samples tell. */
  readonly title: string;
  /** Instead of the samples' own, where that says nothing to a reader. */
  readonly unit?: string;
  /** Whether its ratio to the raw loop's stands beside it. */
  readonly ratio?: boolean;
  /** Which is the best one to mark, where the unit does not say so; `none` marks none. */
  readonly better?: 'less' | 'none';
}

/** A table of a measure. */
export interface TablePlan {
  readonly figures: readonly FigureColumn[];
  /** What `at` is, where the samples vary something: `workers`. */
  readonly by?: string;
  /** `at` goes down and those who take part go across, instead of a row for each of both. */
  readonly across?: boolean;
}

/** How a measure is shown. */
export interface MeasurePage {
  readonly id: string;
  readonly title: string;
  readonly tables: readonly TablePlan[];
  /** Names of its plots' files, without `.svg`. */
  readonly plots?: readonly string[];
}

/** How each measure is shown, in the order of the page. */
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
          { figure: 'makespan-to-ideal', title: 'to the ideal', better: 'less' },
          { figure: 'fast-p50', title: 'fast ones, p50' },
          { figure: 'fast-p99', title: 'fast ones, p99', ratio: true },
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
          { figure: 'fast-p50', title: 'fast ones, p50' },
          { figure: 'fast-p99', title: 'fast ones, p99', ratio: true },
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
          { figure: 'short-p50', title: 'short ones wait, p50' },
          { figure: 'short-p99', title: 'p99' },
          { figure: 'slow-to-ideal', title: 'slow ones, to the ideal', better: 'less' },
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
        by: 'at a time',
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
    title: 'A worker killed in mid-task',
    tables: [{ figures: [{ figure: 'redelivery', title: 'until all is done' }] }],
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
    title: 'Requests a task at full load',
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
          { figure: 'cpu', title: 'CPU a request', better: 'none' },
        ],
      },
    ],
  },
  {
    id: 'bundle',
    title: 'Bundles and what importing them takes',
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
        by: 'orders taken in before',
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
