with judged as (
    select 'sentiment' as judged_as, labelled_sentiment as label, sentiment as said, enriched_by, prompt_version
    from enriched.reviews
    union all
    select 'topic' as judged_as, labelled_topic as label, topic as said, enriched_by, prompt_version
    from enriched.reviews
),

counted as (
    select
        judged_as,
        label,
        enriched_by,
        prompt_version,
        count(*) as reviews,
        sum(case when said in ('neutral', 'other') then 0 else 1 end) as with_a_side,
        sum(case when said = label then 1 else 0 end) as same,
        sum(case when said = label and said not in ('neutral', 'other') then 1 else 0 end) as same_with_a_side
    from judged
    group by judged_as, label, enriched_by, prompt_version
)

select
    judged_as,
    label,
    enriched_by,
    prompt_version,
    reviews,
    with_a_side,
    same,
    same_with_a_side,
    1.0 * with_a_side / reviews as decided,
    1.0 * same / reviews as agreed,
    1.0 * same_with_a_side / nullif(with_a_side, 0) as agreed_where_decided
from counted
