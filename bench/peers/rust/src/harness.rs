//! The command line, the measuring and the report that bench/README.md describes. It knows no library, so that all of
//! them are measured in the same way.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What is wrong, if anything is.
pub type Checked = Result<(), String>;

pub struct Measurement {
    pub unit: &'static str,
    pub value: f64,
    pub ops: i64,
}

#[derive(Clone, Copy)]
enum Body {
    /// Does n operations, n being a multiple of the number, and checks their result.
    Ops(fn(i64) -> Checked, i64),
    /// Measured as whole runs, each of so many operations.
    Whole(fn() -> Checked, i64),
    /// Where the figure is not the time that the operations take: makes it, in about the time that is given.
    Own(fn(Duration) -> Result<Measurement, String>),
}

/// One line of the comparison.
#[derive(Clone, Copy)]
pub struct Row {
    name: &'static str,
    body: Body,
    one_worker: bool,
    around: Option<fn(&mut dyn FnMut())>,
}

impl Row {
    const fn new(name: &'static str, body: Body) -> Row {
        Row { name, body, one_worker: false, around: None }
    }

    pub const fn ops(name: &'static str, body: fn(i64) -> Checked) -> Row {
        Row::multiple(name, 1, body)
    }

    /// Its n is a multiple of this number.
    pub const fn multiple(name: &'static str, multiple: i64, body: fn(i64) -> Checked) -> Row {
        Row::new(name, Body::Ops(body, multiple))
    }

    /// A run of it is so many operations.
    pub const fn whole(name: &'static str, ops: i64, body: fn() -> Checked) -> Row {
        Row::new(name, Body::Whole(body, ops))
    }

    pub const fn own(name: &'static str, body: fn(Duration) -> Result<Measurement, String>) -> Row {
        Row::new(name, Body::Own(body))
    }

    /// Measures a switch, which two workers would not make.
    pub const fn on_one_worker(mut self) -> Row {
        self.one_worker = true;
        self
    }

    /// With something that is made before the clock starts and lives until it has stopped.
    pub const fn around(mut self, around: fn(&mut dyn FnMut())) -> Row {
        self.around = Some(around);
        self
    }

    /// Warms up and measures once. The clock covers all of the body: making the channels, starting the tasks, the
    /// operations, and waiting for the tasks to end.
    fn measure(&self, target: Duration) -> Result<Measurement, String> {
        match self.body {
            Body::Own(body) => body(target),
            Body::Whole(body, of_one) => {
                timed(body)?;
                let (mut ops, mut total) = (0, Duration::ZERO);
                while total < target {
                    total += timed(body)?;
                    ops += of_one;
                }
                Ok(Measurement { unit: "ns/op", value: total.as_nanos() as f64 / ops as f64, ops })
            }
            Body::Ops(body, multiple) => {
                let scaled = |n: i64, factor: f64| ((n as f64 * factor) as i64 / multiple).max(1) * multiple;
                let mut n = multiple;
                let mut t = timed(|| body(n))?;
                while t < target / 3 {
                    n = scaled(n, (0.5 * ratio(target, t)).clamp(2.0, 10.0));
                    t = timed(|| body(n))?;
                }
                n = scaled(n, ratio(target, t));
                t = timed(|| body(n))?;
                Ok(Measurement { unit: "ns/op", value: t.as_nanos() as f64 / n as f64, ops: n })
            }
        }
    }
}

fn timed(body: impl FnOnce() -> Checked) -> Result<Duration, String> {
    let start = Instant::now();
    body()?;
    Ok(start.elapsed().max(Duration::from_nanos(1)))
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// Says what is wrong unless got is want.
pub fn expect(what: &str, got: i64, want: i64) -> Checked {
    if got == want {
        return Ok(());
    }
    Err(format!("wrong result: {what} is {got}, should be {want}"))
}

/// 0 + 1 + … + n-1.
pub const fn sum_below(n: i64) -> i64 {
    n * (n - 1) / 2
}

/// Starts a runtime for the row of this name with so many workers, calls the function, and stops the runtime.
pub type Runner = fn(&str, usize, &mut dyn FnMut());

/// The whole of `main`. Exit status: 0, 1 for a wrong result, 2 for a command line not understood.
pub fn main(program: &str, rows: &[Row], run: Runner) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (row, ms, workers) = match parse(rows, &args) {
        Ok(Command::List) => {
            for row in rows {
                println!("{}", row.name);
            }
            return ExitCode::SUCCESS;
        }
        Ok(Command::Run(row, ms, workers)) => (row, ms, workers),
        Err(why) => {
            eprintln!("{why}usage: {program} list | run ROW [--ms N] [--workers N]");
            return ExitCode::from(2);
        }
    };

    let mut result = Err(String::from("not measured"));
    run(row.name, if row.one_worker { 1 } else { workers }, &mut || {
        let mut measured = || result = row.measure(ms);
        match row.around {
            Some(around) => around(&mut measured),
            None => measured(),
        }
    });
    match result {
        Ok(Measurement { unit, value, ops }) => {
            println!(r#"{{"row":"{}","unit":"{unit}","value":{value:.2},"ops":{ops}}}"#, row.name);
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{program}: {}: {why}", row.name);
            ExitCode::FAILURE
        }
    }
}

enum Command {
    List,
    Run(Row, Duration, usize),
}

fn parse(rows: &[Row], args: &[&str]) -> Result<Command, String> {
    let (name, options) = match args {
        ["list"] => return Ok(Command::List),
        ["run", name, options @ ..] if options.len() % 2 == 0 => (name, options),
        _ => return Err(String::new()),
    };
    let mut ms = 150;
    let mut workers = std::thread::available_parallelism().map_or(1, usize::from);
    for option in options.chunks_exact(2) {
        let target = match option[0] {
            "--ms" => &mut ms,
            "--workers" => &mut workers,
            other => return Err(format!("no option {other}\n")),
        };
        *target = match option[1].parse() {
            Ok(value) if value > 0 => value,
            _ => return Err(format!("{} wants a positive number\n", option[0])),
        };
    }
    match rows.iter().find(|row| row.name == *name) {
        Some(row) => Ok(Command::Run(*row, Duration::from_millis(ms as u64), workers)),
        None => Err(format!("no row {name}\n")),
    }
}
